import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { Clock } from '../kernel/clock.ts'
import { compareIds, type Entry, type GivenUp, type JobStream } from './job-stream.ts'

export interface ApplierOptions<Job, Batch> {
  readonly kind: QueueKind<Job, Batch>
  readonly stream: JobStream
  readonly primary: Kysely<Tables>
  /** How often the stream is polled, in milliseconds. */
  readonly everyMs: number
  /** Called after each commit, so that the new log records are announced to all nodes. */
  readonly onCommit: () => Promise<unknown>
  readonly observer: ApplierObserver
  readonly clock: Clock
}

export interface ApplierObserver {
  /** @param again how many entries came again that had been applied or given up before */
  onApplied?(queue: string, entries: number, again: number): void
  onGivenUp?(queue: string, letter: GivenUp): void
  /** A round failed, and will be tried again after a pause. */
  onError?(queue: string, error: Error): void
}

/**
 * Applies the jobs of a queue in order, each exactly once.
 *
 * The transaction that writes a batch also records the last id that it decided, in a row that it holds locked. Therefore
 * one worker applies at a time, each worker begins where the last commit ended, and an entry that comes again is recognised
 * by its id. The changes to the stream after a commit can safely be repeated, by any worker.
 */
export class Applier<Job, Batch> {
  readonly #options: ApplierOptions<Job, Batch>
  #running: Promise<unknown> = Promise.resolve()
  #cancel = () => {}
  #stopped = false
  #failures = 0
  /** Halved when a batch fails, until the failing entry is alone; doubled again after each success. */
  #limit = MAX_BATCH
  #failing: { readonly id: string; readonly attempts: number } | undefined
  /** The history whose row in `stet.applied` is known to exist. */
  #known: string | undefined

  constructor(options: ApplierOptions<Job, Batch>) {
    this.#options = options
  }

  start(): void {
    this.#schedule(this.#options.everyMs)
  }

  /** Waits until the present batch is committed and removed. Then applies the jobs that would be lost with the process, if it can. */
  async stop(): Promise<void> {
    const { stream } = this.#options
    this.#stopped = true
    this.#cancel()
    await this.#running
    if (!stream.isVolatile) return
    const untilMs = performance.now() + LAST_ATTEMPTS_MS
    for (let attempt = 0; attempt < MAX_ATTEMPTS && performance.now() < untilMs; attempt++) {
      if (await this.drain().then(() => true, this.#report)) return
      await sleep(backOffMs(attempt))
    }
    const { depth } = await stream.state()
    if (depth > 0) this.#report(new Error(`${depth} jobs could not be applied before the end, and are lost.`))
  }

  /** Applies all waiting jobs. Rejects if a job or a server fails. */
  async drain(): Promise<void> {
    await this.#running
    for (;;) {
      const outcome = await this.#round()
      if (outcome === 'done') return
      if (outcome === 'busy') await sleep(BUSY_PAUSE_MS)
    }
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#running = this.#rounds().then((nextMs) => this.#schedule(nextMs))
    })
  }

  /** Applies batches until none waits. Returns the milliseconds until the next round. */
  async #rounds(): Promise<number> {
    try {
      let outcome: Outcome
      do {
        outcome = await this.#round()
        this.#failures = 0
      } while (outcome === 'more' && !this.#stopped)
      return this.#options.everyMs
    } catch (error) {
      this.#report(error as Error)
      return backOffMs(this.#failures++)
    }
  }

  /** Applies one batch, or gives up one entry. */
  async #round(): Promise<Outcome> {
    const { kind, stream, primary, observer, onCommit } = this.#options
    const identity = await stream.identify()
    if (identity === undefined) return 'done'
    await this.#ensureRow(identity)
    const limit = this.#limit
    let fresh: readonly Entry[] = []
    let again: readonly Entry[] = []
    try {
      const isMine = await primary.transaction().execute(async (transaction) => {
        const row = await this.#lockRow(transaction, identity)
        if (!row) return false
        const taken = await stream.take(identity, limit, row.last_id)
        again = taken.filter(({ id }) => compareIds(id, row.last_id) <= 0)
        await this.#follow(identity, again, row.given_up)
        fresh = taken.slice(again.length)
        await this.#apply(transaction, fresh)
        await this.#decide(transaction, identity, fresh.at(-1)?.id)
        return true
      })
      if (!isMine) {
        this.#known = undefined
        return 'busy'
      }
    } catch (error) {
      // Nothing was being applied yet, so no entry is at fault.
      if (fresh.length === 0) throw error
      await this.#fail(identity, fresh, error as Error)
      return 'more'
    }
    this.#failing = undefined
    this.#limit = Math.min(MAX_BATCH, 2 * limit)
    observer.onApplied?.(kind.name, fresh.length, again.length)
    await this.#follow(identity, fresh)
    if (fresh.length > 0) await onCommit()
    return fresh.length + again.length === limit ? 'more' : 'done'
  }

  async #apply(transaction: Transaction<Tables>, entries: readonly Entry[]): Promise<void> {
    const { parse, merge, apply } = this.#options.kind
    const jobs = entries.flatMap(({ job }) => (job === undefined ? [] : [parse(JSON.parse(job))]))
    if (jobs.length > 0) await apply(transaction, merge(jobs))
  }

  /** Makes the next batch smaller, or gives up an entry that failed alone too often. Throws if the caller must pause first. */
  async #fail(identity: string, entries: readonly Entry[], error: Error): Promise<void> {
    const [entry, ...others] = entries
    if (!entry || others.length > 0) {
      this.#limit = Math.ceil(entries.length / 2)
      return
    }
    const attempts = this.#failing?.id === entry.id ? this.#failing.attempts + 1 : 1
    this.#failing = { id: entry.id, attempts }
    if (attempts < MAX_ATTEMPTS) throw error
    await this.#giveUp(identity, { id: entry.id, error: error.message, attempts })
  }

  async #giveUp(identity: string, letter: GivenUp): Promise<void> {
    const { kind, stream, primary, observer } = this.#options
    const isGivenUp = await primary.transaction().execute(async (transaction) => {
      const row = await this.#lockRow(transaction, identity)
      if (!row || compareIds(letter.id, row.last_id) <= 0) return false
      await this.#decide(transaction, identity, letter.id, letter)
      return true
    })
    if (!isGivenUp) return
    observer.onGivenUp?.(kind.name, letter)
    await stream.bury(identity, letter)
  }

  /** Removes decided entries from the stream, and buries the one that was given up. */
  async #follow(identity: string, entries: readonly Entry[], givenUp?: GivenUp | null): Promise<void> {
    const { stream } = this.#options
    const ids = entries.map(({ id }) => id)
    if (givenUp && ids.includes(givenUp.id)) await stream.bury(identity, givenUp)
    await stream.remove(identity, ids)
  }

  async #ensureRow(identity: string): Promise<void> {
    if (this.#known === identity) return
    const { kind, primary } = this.#options
    await sql`
      with forgotten as (
        delete from stet.applied
         where queue = ${kind.name} and stream <> ${identity} and applied_at < now() - interval '30 days'
      )
      insert into stet.applied (queue, stream) values (${kind.name}, ${identity}) on conflict do nothing`.execute(
      primary,
    )
    this.#known = identity
  }

  /** Undefined if another worker holds the row. PostgreSQL ends a transaction that was idle for ten seconds, which frees the row. */
  async #lockRow(transaction: Transaction<Tables>, identity: string): Promise<AppliedRow | undefined> {
    const { rows } = await sql<AppliedRow>`
      select last_id, given_up, set_config('idle_in_transaction_session_timeout', '10s', true)
        from stet.applied where queue = ${this.#options.kind.name} and stream = ${identity}
         for update skip locked`.execute(transaction)
    return rows[0]
  }

  async #decide(
    transaction: Transaction<Tables>,
    identity: string,
    lastId: string | undefined,
    givenUp?: GivenUp,
  ): Promise<void> {
    if (lastId === undefined) return
    await sql`
      update stet.applied
         set last_id = ${lastId}, applied_at = now(), given_up = coalesce(${givenUp ? JSON.stringify(givenUp) : null}::jsonb, given_up)
       where queue = ${this.#options.kind.name} and stream = ${identity}`.execute(transaction)
  }

  readonly #report = (error: Error): void => this.#options.observer.onError?.(this.#options.kind.name, error)
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

/** Milliseconds to wait after so many failures in a row: from 50 ms up to 5 s, at random, so that workers do not retry together. */
const backOffMs = (failures: number): number =>
  Math.min(5000, 100 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)

/** `more` if jobs may wait still, `done` if none waits, `busy` if another worker applies. */
type Outcome = 'more' | 'done' | 'busy'

interface AppliedRow {
  readonly last_id: string
  readonly given_up: GivenUp | null
}

/** Entries in one transaction. A statement that writes more rows does not name each of them in the log. */
const MAX_BATCH = 1000
/** How often an entry may fail alone before it is given up. The entries behind it wait meanwhile. */
const MAX_ATTEMPTS = 5
const BUSY_PAUSE_MS = 20
/** How long jobs that would be lost are tried when the process ends. */
const LAST_ATTEMPTS_MS = 5000
