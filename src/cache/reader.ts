import type { Entry } from './entry.ts'
import type { SourceSnapshot } from './kind.ts'

/**
 * Where a value came from: `source` is what the kind's `load` reads.
 * @example const counts: Record<Origin, number> = { memory: 0, redis: 0, source: 0 }
 */
export type Origin = 'memory' | 'redis' | 'source'

/**
 * Why something stale was served:
 *
 *   revalidating  its time to live was over, and it is being refreshed
 *   softened      a tag of it was written softly, and it is being refreshed
 *   error         its load failed
 *   slow          its load took longer than the soft time-out
 * @example const onStaleServed = (kind: string, why: StaleReason) => counter.inc({ kind, why })
 */
export type StaleReason = 'revalidating' | 'softened' | 'error' | 'slow'

/**
 * What one request asks of the cache with each of its reads, and what it is told of the entries that it is given.
 *
 * HAZARD: a request that reuses one Reader and changes it between reads is right only while each read is synchronous
 * (`getIfPresent`). `get` and `getMany` look at the Reader again after they waited: give each request one of its own.
 *
 * @example
 * const reader: Reader = { position: 17, onRead: (kind, entry, origin) => trace.push({ kind, key: entry.key, origin }) }
 * const city = await cities.get(1, reader)
 */
export interface Reader {
  /**
   * Tells Readers of this process apart. What memory has given to a Reader with an `id` is given again as it is, for as long as
   * memory holds it and no other Reader has asked for it: neither judged, nor counted, nor told anew.
   */
  readonly id?: number | undefined
  /** Reads through to the source, past both tiers. What is read is stored, if memory doesn't hold the same already. */
  readonly bypass?: boolean
  /** With `bypass`: what to read from. Default: the primary. What is read from a snapshot is not stored. */
  readonly source?: SourceSnapshot | undefined
  /** Nothing stale, because the reader has written just now. */
  readonly fresh?: boolean
  /** A log position that the reader knows of: an entry that was softened up to it, or may have been, doesn't serve. Default 0. */
  readonly position?: number
  /** Names who reads, for kinds of scope `viewer`. */
  readonly viewer?: string | undefined
  /** Told of each entry that a read uses, once. @param stale why a stale entry was served. Undefined if it was fresh */
  readonly onRead?: (kind: string, entry: Entry, origin: Origin, stale: StaleReason | undefined) => void
}
