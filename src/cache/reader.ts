import type { Entry } from './entry.ts'

/** Where a value came from. */
export type Origin = 'memory' | 'redis' | 'source'

/**
 * Why something stale was served:
 *
 *   revalidating  its time to live was over, and it is being refreshed
 *   softened      a tag of it was written softly, and it is being refreshed
 *   error         its load failed
 *   slow          its load took longer than the soft time-out
 */
export type StaleReason = 'revalidating' | 'softened' | 'error' | 'slow'

/** Whoever reads, for as long as one request: what it asks of the cache, and what it wants to know of the entries it was given. */
export interface Reader {
  /** Read through to the source. What is read is stored all the same. */
  readonly bypass?: boolean
  /** Nothing stale: the reader has written just now. */
  readonly fresh?: boolean
  /** A log position that the reader knows of: what was softened up to it, or may have been, doesn't serve any more. Default 0. */
  readonly position?: number
  /** Who reads: for kinds of scope `viewer`. */
  readonly viewer?: string
  /** @param stale why, where the entry was stale */
  readonly onRead?: (kind: string, entry: Entry, origin: Origin, stale: StaleReason | undefined) => void
}
