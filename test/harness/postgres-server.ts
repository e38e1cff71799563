import type { TestDatabase } from './create-test-database.ts'

/** A PostgreSQL server of a test's own, without password, that may be broken at will. */
export interface PostgresServer {
  /** The same for as long as it lives, also after `restart`. */
  readonly url: string
  createDatabase(): Promise<TestDatabase>
  /** Ends it and its connections at once, as a crash would. What was committed is there again after `restart`. */
  kill(): Promise<void>
  /** Stops it in its tracks, with every connection open and no answer to any. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Shuts it down in order if it runs, and starts it again. */
  restart(): Promise<void>
  startStandby(): Promise<Standby>
  stop(): Promise<void>
}

/** A hot standby that follows by streaming, read-only until promoted. Its lag is the test's to decide. */
export interface Standby {
  readonly url: string
  /** The URL under which it serves its copy of one of the primary's databases. */
  urlOf(database: TestDatabase): string
  /** From when this resolves the standby shows nothing newer. */
  pauseReplay(): Promise<void>
  resumeReplay(): Promise<void>
  /** Resolves when it shows everything that the primary, or `other`, had committed at the time of the call. */
  caughtUp(other?: Pick<PostgresServer, 'url'>): Promise<void>
  /** From when this resolves it receives nothing more of its primary, which lives on or doesn't. */
  leave(): Promise<void>
  promote(): Promise<void>
  /** From when this resolves it follows another server, which may have been promoted. */
  follow(other: Pick<PostgresServer, 'url'>): Promise<void>
  /** Stops it in its tracks, with every connection open and no answer to any. */
  pause(): Promise<void>
  resume(): Promise<void>
  stop(): Promise<void>
}
