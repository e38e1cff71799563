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
      if (reads.epochs.every((epoch) => epoch === ledger.epoch)) {
        return { value, epoch: ledger.epoch, position: Math.min(ledger.seen, reads.oldest) }
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

/** A Reader that notes what it is given. */
class Reads implements Reader {
  readonly source: SourceSnapshot | undefined
  readonly #reader: Reader
  readonly #ledger: CacheParts['ledger']
  readonly #since: number
  readonly #entries: Entry[] = []

  constructor(reader: Reader, ledger: CacheParts['ledger'], source?: SourceSnapshot) {
    this.#reader = reader
    this.#ledger = ledger
    this.#since = ledger.seen
    this.source = source
  }

  get bypass(): boolean {
    return this.source !== undefined || this.#reader.bypass === true
  }

  get fresh(): boolean {
    return this.#reader.fresh === true
  }

  get position(): number {
    return this.#reader.position ?? 0
  }

  get viewer(): string | undefined {
    return this.#reader.viewer
  }

  onRead(kind: string, entry: Entry, origin: Origin, stale: StaleReason | undefined): void {
    this.#entries.push(entry)
    this.#reader.onRead?.(kind, entry, origin, stale)
  }

  /** Something was read that shows writes without a position. */
  get isOfNoMoment(): boolean {
    return this.#entries.some(({ isOfNoMoment }) => isOfNoMoment)
  }

  get epochs(): readonly string[] {
    return this.#entries.map(({ epoch }) => epoch)
  }

  /** The smallest position that anything was read as of. */
  get oldest(): number {
    return this.#entries.reduce((oldest, { asOf }) => Math.min(oldest, asOf), Number.POSITIVE_INFINITY)
  }

  get newest(): number {
    return this.#entries.reduce((newest, { asOf }) => Math.max(newest, asOf), 0)
  }

  /** `value`, with the last position that all that was read has in common. Undefined if there is none since this began. */
  inOneSnapshot<T>(value: T): OneSnapshot<T> | undefined {
    const ledger = this.#ledger
    const position = this.#position()
    return position === undefined ? undefined : { value, epoch: ledger.epoch, position }
  }

  #position(): number | undefined {
    const { epoch, seen } = this.#ledger
    let lowest = Number.POSITIVE_INFINITY
    let highest = 0
    for (const entry of this.#entries) {
      if (entry.epoch !== epoch || entry.isOfNoMoment) return undefined
      if (entry.asOf < lowest) lowest = entry.asOf
      if (entry.asOf > highest) highest = entry.asOf
    }
    if (this.#entries.length === 0) return seen
    if (lowest === highest && lowest >= this.#since) return lowest
    let from = 0
    let to = Number.POSITIVE_INFINITY
    for (const entry of this.#entries) {
      const span = this.#ledger.spanOf(entry)
      from = Math.max(from, span.from)
      to = Math.min(to, span.to)
    }
    return from <= to && to >= this.#since ? to : undefined
  }
}

/** How often it is tried without a transaction. */
const ATTEMPTS = 3
/** And how often with one. */
const TRANSACTIONS = 5
