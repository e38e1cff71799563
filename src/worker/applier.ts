import { setTimeout as sleep } from 'node:timers/promises'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { backOffMs } from './back-off.ts'
import { compareIds, type Entry, type GivenUp, type JobStream } from './job-stream.ts'
import type { QueueKind } from './queue-kind.ts'

export interface ApplierOptions<Job, Batch> {
  readonly kind: QueueKind<Job, Batch>
  readonly stream: JobStream
  readonly primary: Kysely<Tables>
  /** How often to look, in milliseconds. */
  readonly everyMs: number
  /** Called after each commit: what was written is to be told to everybody. */
  readonly onCommit: () => Promise<unknown>
  readonly observer: ApplierObserver
  readonly clock?: Clock
}

export interface ApplierObserver {
  /** @param again how many entries came that had been decided already */
  onApplied?(queue: string, entries: number, again: number): void
  onGivenUp?(queue: string, letter: GivenUp): void
  /** Something failed, and is tried again after a pause. */
  onError?(queue: string, error: Error): void
}

/**
 * Takes what waits in a queue, and applies it in order, each entry once.
 *
 * The transaction that writes a batch also writes down how far the stream is decided, in a row that it holds locked. So one
 * worker at a time applies, each begins where the last commit ended, and an entry that comes again is known by its id. What
 * is done to the stream afterwards only follows what was committed: anybody may do it, and any number of times.
 */
export class Applier<Job, Batch> {
  readonly #options: ApplierOptions<Job, Batch> & { readonly clock: Clock }
  #running: Promise<unknown> = Promise.resolve()
  #cancel = () => {}
  #stopped = false
  #failures = 0
  /** Less while something in a batch fails: half of it is tried, until what fails is alone. */
  #limit = MAX_BATCH
  #failing: { readonly id: string; readonly attempts: number } | undefined
  /** The history whose row is there. */
  #known: string | undefined

  constructor(options: ApplierOptions<Job, Batch>) {
    this.#options = { clock: systemClock, ...options }
  }

  start(): void {
    this.#schedule(this.#options.everyMs)
  }

  /** Lets the batch at hand commit and be removed. What would be lost with the process is applied, if it can be. */
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

  /** Applies all that waits. Rejects where something fails, be it an entry or a server. */
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

  /** Returns when to look again. */
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

  /** Applies one batch, or gives up an entry. */
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
      // Before there was anything to apply it was no entry's fault.
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

  /** Throws where it is to be tried again after a pause. */
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

  /** Does to the stream what was decided of these entries. */
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

  /** Undefined where another worker has it. One that stops in the middle, without ending, keeps it for ten seconds. */
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

/** `done` where nothing waits for now, `busy` where another worker is at it. */
type Outcome = 'more' | 'done' | 'busy'

interface AppliedRow {
  readonly last_id: string
  readonly given_up: GivenUp | null
}

/** Entries that one transaction applies at most: as many rows as a statement may write and still name each in the log. */
const MAX_BATCH = 1000
/** How often an entry may fail by itself before it is given up: the others wait as long. */
const MAX_ATTEMPTS = 5
const BUSY_PAUSE_MS = 20
/** How long what would be lost is still tried, when the process is to end. */
const LAST_ATTEMPTS_MS = 5000
