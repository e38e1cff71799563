/** What a request says by `Cache-Control` (RFC 9111, section 5.2.1), as far as it is heard here. */
export interface CacheWishes {
  /** `no-cache` or `max-age=0`: no answer that was made before. */
  readonly fresh: boolean
  /** `no-store`: the answer is not kept. */
  readonly unkept: boolean
  /** `only-if-cached`: nothing is made. */
  readonly onlyIfCached: boolean
}

/** The directives of a request, in any order and case, with an argument in quotes or not. Those that mean nothing here are ignored. */
export function readCacheWishes(header: string | undefined): CacheWishes {
  if (header === undefined) return NO_WISHES
  const directives = header
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim())
  return {
    fresh: directives.some((it) => it === 'no-cache' || /^max-age="?0+"?$/.test(it)),
    unkept: directives.includes('no-store'),
    onlyIfCached: directives.includes('only-if-cached'),
  }
}

const NO_WISHES: CacheWishes = { fresh: false, unkept: false, onlyIfCached: false }
