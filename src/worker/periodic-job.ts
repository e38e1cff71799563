import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'

/** A job that one process of the fleet runs periodically. */
export interface PeriodicJob {
  readonly name: string
  readonly everyMs: number
  /** Runs in the transaction that holds the job's lock. If the lock is lost, everything it wrote is rolled back. */
  readonly run: (transaction: Transaction<Tables>) => Promise<unknown>
}

export interface PeriodicJobOptions {
  readonly job: PeriodicJob
  readonly primary: Kysely<Tables>
  /** Called after a run has committed. */
  readonly onCommit: () => Promise<unknown>
  readonly onError: (error: Error) => void
  readonly clock?: Clock
}

/** Runs a job whenever it is due and no other process runs it. Returns a function that stops it and waits for a run under way. */
export function startPeriodicJob(options: PeriodicJobOptions): () => Promise<void> {
  const { job, onError, clock = systemClock } = options
  let stopped = false
  let cancel = () => {}
  let running: Promise<unknown> = Promise.resolve()
  const schedule = (delayMs: number) => {
    if (stopped) return
    cancel = clock.after(delayMs, () => {
      running = runIfDue(options)
        .catch((error: Error) => {
          onError(error)
          return Math.min(job.everyMs, PAUSE_AFTER_ERROR_MS)
        })
        .then(schedule)
    })
  }
  schedule(0)
  return async () => {
    stopped = true
    cancel()
    await running
  }
}

/**
 * Runs the job if it is due and no other process runs it. Resolves with the milliseconds until it should be called again.
 * The lock is a row: PostgreSQL frees it when the transaction ends, and ends the transaction when its connection breaks.
 */
export async function runIfDue({ job, primary, onCommit }: PeriodicJobOptions): Promise<number> {
  await sql`insert into stet.job (name) values (${job.name}) on conflict do nothing`.execute(primary)
  const waitMs = await primary.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ wait_ms: number }>`
      select greatest(0, ${job.everyMs} - extract(epoch from clock_timestamp() - ran_at) * 1000)::float8 as wait_ms,
             set_config('idle_in_transaction_session_timeout', '10s', true), set_config('statement_timeout', '60s', true)
        from stet.job where name = ${job.name}
         for update skip locked`.execute(transaction)
    const [row] = rows
    if (!row) return job.everyMs
    if (row.wait_ms > 0) return row.wait_ms
    await job.run(transaction)
    await sql`update stet.job set ran_at = clock_timestamp() where name = ${job.name}`.execute(transaction)
    return 0
  })
  if (waitMs > 0) return waitMs
  await onCommit()
  return job.everyMs
}

const PAUSE_AFTER_ERROR_MS = 5000
