import type { Entry } from './entry.ts'

/** Where a value came from. */
export type Origin = 'memory' | 'redis' | 'source'

/** Whoever reads, for as long as one request: what it asks of the cache, and what it wants to know of the entries it was given. */
export interface Reader {
  /** Read through to the source. What is read is stored all the same. */
  readonly bypass?: boolean
  readonly onRead?: (kind: string, entry: Entry, origin: Origin) => void
}
