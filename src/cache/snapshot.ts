import { isPromise, type PromiseOrValue } from '../kernel/promise-or-value.ts'
import type { CacheParts } from './cache-options.ts'
import type { Entry } from './entry.ts'
import type { SourceSnapshot } from './kind.ts'
import type { LogPlace } from './ledger/ledger.ts'
import type { Origin, Reader, StaleReason } from './reader.ts'

/**
 * What was made of one snapshot of the database: all that `value` shows is what the database held at `position`.
 * @example const { value, epoch, position }: OneSnapshot<number> = await cache.snapshot(sumOfAccounts)
 */
export interface OneSnapshot<T> extends LogPlace {
  readonly value: T
  /** What it was made of. It falls when one of their tags is written. */
  readonly entries: readonly Entry[]
}

/**
 * Makes values of one snapshot. An entry that is as of `a`, and stands at `s`, is what the database holds at every position from
 * `a` to `s`. So what was made of several entries is one snapshot if these stretches have a position in common. If they have
 * none, it is made again: what stands is read from memory, and the rest is loaded. After a few attempts all of it is read in one
 * transaction.
 */
export class Snapshots {
  readonly #parts: Pick<CacheParts, 'ledger' | 'settle' | 'observer' | 'openSnapshot'>

  constructor(parts: Pick<CacheParts, 'ledger' | 'settle' | 'observer' | 'openSnapshot'>) {
    this.#parts = parts
  }

  /** See `Cache.snapshot`. */
  take<T>(make: Make<T>, reader: Reader, attempt = 1): PromiseOrValue<OneSnapshot<T>> {
    const reads = new Reads(reader, this.#parts.ledger)
    const judge = (value: T) => reads.inOneSnapshot(value) ?? this.#judgeLater(value, { make, reader, reads, attempt })
    const value = make(reads)
    return isPromise(value) ? value.then(judge) : judge(value)
  }

  async #judgeLater<T>(value: T, { make, reader, reads, attempt }: Attempt<T>): Promise<OneSnapshot<T>> {
    const { ledger, settle, observer } = this.#parts
    if (ledger.isBehind({ epoch: ledger.epoch, asOf: reads.newest })) {
      // Only then does the ledger know whether the others still stood there. If the log can't be read, its beat reports that.
      await settle().catch(() => {})
      const found = reads.inOneSnapshot(value)
      if (found) return found
    }
    observer.onMadeAgain?.(attempt)
    // What a reader wants past the cache is loaded each time, so a second attempt is no likelier to be one snapshot.
    return attempt < (reader.bypass ? 1 : ATTEMPTS)
      ? this.take(make, reader, attempt + 1)
      : this.#inOneTransaction(make, reader)
  }

  async #inOneTransaction<T>(make: Make<T>, reader: Reader): Promise<OneSnapshot<T>> {
    const { ledger, settle, openSnapshot } = this.#parts
    if (!openSnapshot) throw new Error(`What was read changed meanwhile, ${ATTEMPTS} times.`)
    for (let attempt = 1; attempt <= TRANSACTIONS; attempt++) {
      // The fewer writes have no position, the likelier it is that the transaction sees none of them.
      await settle().catch(() => {})
      let reads = new Reads(reader, ledger)
      const value = await openSnapshot(async (source) => {
        reads = new Reads(reader, ledger, source)
        return make(reads)
      })
      // In the end a snapshot will do that the log has no position for. What it shows gets its positions before anybody sees it.
      if (reads.isOfNoMoment && attempt === TRANSACTIONS) await settle()
      else if (reads.isOfNoMoment) continue
      const { entries } = reads
      if (entries.every(({ epoch }) => epoch === ledger.epoch)) {
        const position = entries.reduce((oldest, { asOf }) => Math.min(oldest, asOf), ledger.seen)
        return { value, epoch: ledger.epoch, position, entries }
      }
    }
    throw new Error(`The log's history changed ${TRANSACTIONS} times meanwhile.`)
  }
}

/** Makes a value of what it reads with `reader`, and of nothing else. */
type Make<T> = (reader: Reader) => PromiseOrValue<T>

interface Attempt<T> {
  readonly make: Make<T>
  readonly reader: Reader
  readonly reads: Reads
  /** The first is 1. */
  readonly attempt: number
}

/** A Reader that notes what it is given. Of plain fields, because every read looks at them. */
class Reads implements Reader {
  readonly id = nextId()
  readonly bypass: boolean
  readonly source: SourceSnapshot | undefined
  readonly fresh: boolean
  readonly position: number
  readonly viewer: string | undefined
  readonly #reader: Reader
  readonly #ledger: CacheParts['ledger']
  readonly #since: LogPlace
  readonly #entries: Entry[] = []
  /** Whether anything was read that is as of another position than `since`, or comes from the source. */
  #isMixed = false
  /** What was stale when it was read, by key. It may have been refreshed since, which no position tells. */
  #stale: Map<string, Entry> | undefined
  /** Two entries of one key were read. */
  #isTorn = false

  constructor(reader: Reader, ledger: CacheParts['ledger'], source?: SourceSnapshot) {
    this.bypass = source !== undefined || reader.bypass === true
    this.source = source
    this.fresh = reader.fresh === true
    this.position = reader.position ?? 0
    this.viewer = reader.viewer
    this.#reader = reader
    this.#ledger = ledger
    this.#since = ledger.place
  }

  onRead(kind: string, entry: Entry, origin: Origin, stale: StaleReason | undefined): void {
    this.#entries.push(entry)
    const before = this.#stale?.get(entry.key)
    if (before && before !== entry) this.#isTorn = true
    if (stale) this.#stale = (this.#stale ?? new Map()).set(entry.key, entry)
    if (entry.asOf !== this.#since.position || origin === 'source') this.#isMixed = true
    this.#reader.onRead?.(kind, entry, origin, stale)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** Something was read that shows writes without a position. */
  get isOfNoMoment(): boolean {
    return this.#entries.some(({ isOfNoMoment }) => isOfNoMoment)
  }

  get newest(): number {
    return this.#entries.reduce((newest, { asOf }) => Math.max(newest, asOf), 0)
  }

  /** `value`, with the last position that all that was read has in common. Undefined if there is none since this began. */
  inOneSnapshot<T>(value: T): OneSnapshot<T> | undefined {
    const position = this.#position()
    return position === undefined ? undefined : { value, epoch: this.#ledger.epoch, position, entries: this.#entries }
  }

  #position(): number | undefined {
    const { epoch, seen } = this.#ledger
    if (this.#isTorn) return undefined
    if (this.#entries.length === 0) return seen
    if (!this.#isMixed && epoch === this.#since.epoch) return this.#since.position
    if (this.isOfNoMoment || this.#entries.some((entry) => entry.epoch !== epoch)) return undefined
    const lowest = this.#entries.reduce((lowest, { asOf }) => Math.min(lowest, asOf), Number.POSITIVE_INFINITY)
    if (lowest === this.newest && lowest >= this.#since.position) return lowest
    let from = 0
    let to = Number.POSITIVE_INFINITY
    for (const entry of this.#entries) {
      const span = this.#ledger.spanOf(entry)
      from = Math.max(from, span.from)
      to = Math.min(to, span.to)
    }
    return from <= to && to >= this.#since.position ? to : undefined
  }
}

let lastId = 0
/** A small integer, which V8 stores without a box. */
function nextId(): number {
  lastId = (lastId + 1) % 2 ** 30
  return lastId
}

/** How often it is tried without a transaction. */
const ATTEMPTS = 3
/** And how often with one. */
const TRANSACTIONS = 5
