import type { Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'

/** What is done later, many at a time. `Job` is what is queued, as JSON; `Batch` is what many of them come down to. */
export interface QueueKind<Job, Batch> {
  /** Part of names in Redis and PostgreSQL, and a label of metrics. */
  readonly name: string
  /** Checks what was queued, perhaps by an older version. What it throws counts against the job. */
  readonly parse: (json: unknown) => Job
  readonly merge: (jobs: readonly Job[]) => Batch
  /**
   * Writes a batch, by one statement if it can. Counts once whatever happens, since how far the queue was applied is
   * written with it. HAZARD: only what goes through `transaction` does; a mail sent from here may be sent twice.
   */
  readonly apply: (transaction: Transaction<Tables>, batch: Batch) => Promise<unknown>
}
