import type { Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import { ClientError } from '../kernel/errors.ts'
import type { JobStream, StreamState } from './job-stream.ts'

/** The door of one queue, through which requests add jobs. */
export class Queue<Job> {
  readonly name: string
  readonly #stream: JobStream
  readonly #onRefused: (queue: string, cause?: Error) => void

  constructor(name: string, stream: JobStream, onRefused: (queue: string, cause?: Error) => void) {
    this.name = name
    this.#stream = stream
    this.#onRefused = onRefused
  }

  /** Resolves once the job is queued. Throws OVERLOADED if the queue is full, or Redis does not confirm that it has the job. */
  async add(job: Job): Promise<void> {
    let cause: Error | undefined
    const added = await this.#stream.add(JSON.stringify(job)).catch((error: Error) => {
      cause = error
      return false
    })
    if (added) return
    this.#onRefused(this.name, cause)
    throw new ClientError('OVERLOADED', 'Too much waits to be done already: try again later.', { cause })
  }

  state(): Promise<StreamState> {
    return this.#stream.state()
  }
}

/** Work that is done later, many jobs at a time. A `Job` is queued as JSON. A `Batch` is many jobs merged into one. */
export interface QueueKind<Job, Batch> {
  /** Part of names in Redis and PostgreSQL, and a label of metrics. */
  readonly name: string
  /** Checks a job, which an older version may have queued. If it throws, the job counts as failed. */
  readonly parse: (json: unknown) => Job
  readonly merge: (jobs: readonly Job[]) => Batch
  /**
   * Writes a batch, with one statement if possible. Takes effect exactly once, because the transaction also records how
   * far the queue is applied. HAZARD: that holds only for what `transaction` writes. A mail sent from here may be sent twice.
   */
  readonly apply: (transaction: Transaction<Tables>, batch: Batch) => Promise<unknown>
}
