import type { CacheTag, Entry } from '../cache/index.ts'

/** What `@cacheControl` says of a field or a type, or a resolver of its answer. */
export interface CacheHint {
  /** Seconds for which an answer may be kept. 0: not at all. */
  readonly maxAge?: number | undefined
  /** `PRIVATE`: for one viewer alone. */
  readonly scope?: 'PUBLIC' | 'PRIVATE' | undefined
}

/** What is learnt of one answer while it is made: for how long it may be kept, for whom, and what it depends on. */
export class CacheControl {
  readonly tags = new Set<CacheTag>()
  /** A resolver looked at who asks: somebody else might be answered otherwise. */
  isPersonal = false
  /** A resolver said that it is for this viewer alone. */
  isPrivate = false
  /** Something in it could not be resolved. */
  isPartial = false
  /** And that is our fault: another time, or from elsewhere, it could. */
  hasFailed = false
  #ttlMs = Number.POSITIVE_INFINITY

  /** The least of all hints counts: what one resolver says no other takes back. */
  setCacheHint({ maxAge, scope }: CacheHint): void {
    if (maxAge !== undefined) this.#ttlMs = Math.min(this.#ttlMs, maxAge * 1000)
    if (scope === 'PRIVATE') this.isPrivate = true
  }

  /** The answer falls whenever one of these is written, whatever else it depends on. */
  cacheTag(...tags: readonly CacheTag[]): void {
    for (const tag of tags) this.tags.add(tag)
  }

  /** An entry went into the answer, which depends on whatever that does, and lives no longer. */
  onEntry({ tags, storedAtMs, staleAtMs }: Pick<Entry, 'tags' | 'storedAtMs' | 'staleAtMs'>): void {
    for (const tag of tags) this.tags.add(tag)
    this.#ttlMs = Math.min(this.#ttlMs, staleAtMs - storedAtMs)
  }

  /** For how long the answer may be kept, in milliseconds, as far as is known by now. */
  get ttlMs(): number {
    return this.#ttlMs
  }
}
