/** When an answer was stored, and until when it is fresh, in milliseconds since 1970. */
export interface Lifetime {
  readonly storedAtMs: number
  readonly staleAtMs: number
}

/** For how long a cache in front (a CDN) may give a public answer. In whole seconds. */
export interface CdnPolicy {
  /** Without asking this node again. */
  readonly maxAge: number
  /** After that, while it asks. */
  readonly staleWhileRevalidate: number
  /** After that, while this node can't be reached or answers 5xx. */
  readonly staleIfError: number
}

/**
 * The policy of a CDN that may keep answers for `maxAgeMs`. It gives no stale answer for longer than this node would (the graces), and
 * while this node answers for no longer than it gives a fresh one.
 */
export function cdnPolicyOf(maxAgeMs: number, graceMs: number, graceIfErrorMs: number): CdnPolicy {
  const maxAge = Math.floor(maxAgeMs / 1000)
  return {
    maxAge,
    staleWhileRevalidate: Math.min(maxAge, Math.floor(graceMs / 1000)),
    staleIfError: Math.floor(graceIfErrorMs / 1000),
  }
}

/**
 * The lines that say for how long browsers and shared caches may keep a public answer. Nothing is fresh beyond `staleAtMs`.
 *
 * HAZARD: nginx ignores `Age`. By `max-age` alone it would keep an old answer for a second life. `X-Accel-Expires`, which only nginx
 * reads, has what is left.
 *
 * @param isStale such an answer is fresh nowhere: a cache in front may keep it, and must ask again each time
 * @param cdn undefined: a CDN may keep what browsers may
 */
export function lifetimeLines(
  { storedAtMs, staleAtMs }: Lifetime,
  isStale: boolean,
  cdn: CdnPolicy | undefined,
): string {
  const lifetime = Math.floor((staleAtMs - storedAtMs) / 1000)
  const ageNow = Math.max(0, Math.floor((Date.now() - storedAtMs) / 1000))
  if (isStale) return `cache-control: public, max-age=0\r\nx-accel-expires: 0\r\nage: ${ageNow}\r\n`
  const age = Math.min(ageNow, lifetime)
  if (!cdn) return `cache-control: public, max-age=${lifetime}\r\nx-accel-expires: ${lifetime - age}\r\nage: ${age}\r\n`
  // Counted from when the answer was stored, as `Age` is. A standing answer is as good as one made now.
  const shared = Math.min(lifetime, age + cdn.maxAge)
  return (
    `cache-control: public, max-age=${lifetime}, s-maxage=${shared}\r\n` +
    `cdn-cache-control: max-age=${shared}${staleDirectives(cdn)}\r\nx-accel-expires: ${shared - age}\r\nage: ${age}\r\n`
  )
}

/** RFC 5861. */
const staleDirectives = ({ staleWhileRevalidate, staleIfError }: CdnPolicy): string =>
  (staleWhileRevalidate > 0 ? `, stale-while-revalidate=${staleWhileRevalidate}` : '') +
  (staleIfError > 0 ? `, stale-if-error=${staleIfError}` : '')
