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
