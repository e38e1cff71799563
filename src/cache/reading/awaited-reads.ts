import type { Clock } from '../../kernel/clock.ts'
import type { CacheParts } from '../cache-options.ts'
import type { Entry } from '../entry.ts'
import { judge, type Rules, rest, whyStale } from '../judgement.ts'
import type { ResolvedKind } from '../kind.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import type { Reader, StaleReason } from '../reader.ts'
import { type Flight, LoadTimeoutError, type Need, type Obtained } from './flight.ts'
import type { Flights } from './flights.ts'
import type { LoadRequest } from './load-queue.ts'
import type { Tiers } from './tiers.ts'

export interface AwaitedReadsOptions<K, V> {
  readonly kind: ResolvedKind<K, V>
  readonly parts: CacheParts
  readonly rules: Rules
  readonly tiers: Tiers<K, V>
  readonly flights: Flights<K, V>
}

/** Reads that memory could not answer at once: they wait for the remote tier and the source, each as long as its policy allows. */
export class AwaitedReads<K, V> {
  readonly #options: AwaitedReadsOptions<K, V>

  constructor(options: AwaitedReadsOptions<K, V>) {
    this.#options = options
  }

  /** An entry for each of `requests`, by id. Each is as good as a read of the source that begins now. Rejects if a load fails and nothing stale may be served instead. */
  async obtain(requests: readonly LoadRequest<K>[], reader: Reader): Promise<ReadonlyMap<string, Obtained<V>>> {
    const { kind, parts } = this.#options
    const { ledger, settle, clock } = parts
    const { softMs, hardMs } = kind.policy.loadTimeout
    const missing = new Map(requests.map((request) => [request.id, request]))
    const obtained = new Map<string, Obtained<V>>()
    const soft = new Deadline(clock, softMs)
    const hard = new Deadline(clock, hardMs)
    // Once, not at every attempt: a ledger that runs ahead of the loads would never be content with one.
    let since = ledger.place
    let need = ANYTHING
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        // Two attempts suffice within one history of the log. So the entries are of another history than the ledger's.
        if (attempt >= 2) await settle()
        if (since.epoch !== ledger.epoch) since = ledger.place
        const isFirst = attempt === 0
        const flying = this.#fly([...missing.values()], reader, need)
        need = ANYTHING
        for (const { flight, joined } of flying) {
          const request = missing.get(flight.id)
          const found = await this.#await(flight, { reader, soft, hard, joined, isFirst })
          const accepted = found && request && this.#accept(found, request, reader, since)
          if (!accepted) need = FRESH
          if (!accepted) continue
          obtained.set(flight.id, accepted)
          missing.delete(flight.id)
        }
        if (missing.size === 0) return obtained
      }
    } finally {
      soft.cancel()
      hard.cancel()
    }
    throw new Error(`"${kind.name}" could not be loaded: the log's history changed ${MAX_ATTEMPTS} times meanwhile.`)
  }

  #fly(
    requests: readonly LoadRequest<K>[],
    reader: Reader,
    need: Need,
  ): readonly { readonly flight: Coming<V>; readonly joined: boolean }[] {
    const { flights } = this.#options
    if (!reader.bypass) return flights.joinOrLaunch(requests, need)
    const all = flights.readThrough(requests, reader.source)
    return requests.map(({ id }, index) => {
      const arrival = all.then((read) => read[index])
      // A caller that waits for several meets the first failure, and never looks at the others.
      arrival.catch(() => {})
      return { flight: { id, arrival }, joined: false }
    })
  }

  /** What arrives. If that fails or is slow: what there is already, if it may be served. Undefined if another attempt is due. */
  async #await(coming: Coming<V>, { reader, soft, hard, joined, isFirst }: Patience): Promise<Obtained<V> | undefined> {
    // The flights of a first attempt began no later than this read, so each fails by itself when its own time is up.
    const inTime = isFirst && !reader.bypass ? coming.arrival : this.#within(hard, coming.arrival)
    try {
      const first = await soft.race(inTime)
      if (first !== OVER) return first
      return this.#instead(coming, reader, 'slow') ?? (await inTime)
    } catch (error) {
      const isSlow = error instanceof LoadTimeoutError
      // The flight began earlier, and its time was up before this reader's.
      if (isSlow && !hard.isOver) return undefined
      const stale = this.#instead(coming, reader, isSlow ? 'slow' : 'error')
      if (stale) {
        rest(stale.entry, this.#options.parts.clock.now())
        return stale
      }
      // The batch may have failed because of another key: the next attempt asks for this one alone.
      if (joined && isFirst && !isSlow) return undefined
      throw error
    }
  }

  async #within<T>(hard: Deadline, arrival: Promise<T>): Promise<T> {
    const first = await hard.race(arrival)
    if (first !== OVER) return first
    const { name, policy } = this.#options.kind
    throw new LoadTimeoutError(name, policy.loadTimeout.hardMs)
  }

  #instead({ id, reserve }: Coming<V>, reader: Reader, why: StaleReason): Obtained<V> | undefined {
    const entry = reader.bypass ? undefined : (this.#options.tiers.inMemory(id) ?? reserve)
    if (!entry) return undefined
    const { is, isUsable } = this.#judge(entry, reader)
    if (!isUsable) return undefined
    return is === 'fresh' ? { entry, origin: 'memory' } : { entry, origin: 'memory', stale: why }
  }

  /** Undefined if this reader can't be content with it: a flight that another reader began may have read before a write that this one must see. */
  #accept(obtained: Obtained<V>, request: LoadRequest<K>, reader: Reader, since: LogPlace): Obtained<V> | undefined {
    const { flights, parts } = this.#options
    const { entry, origin, stale } = obtained
    if (stale || reader.source) return obtained
    const reflects = flights.reflects(entry, since)
    if (origin === 'source') return reflects ? obtained : undefined
    if (reflects && parts.clock.now() < entry.staleAtMs) return obtained
    const judgement = this.#judge(entry, reader)
    if (judgement.is !== 'stale') return undefined
    flights.refresh(request, entry, 'stale')
    return { entry, origin, stale: whyStale(judgement) }
  }

  #judge(entry: Entry<V>, reader: Reader) {
    const { rules, parts } = this.#options
    return judge(entry, parts.clock.now(), rules, reader)
  }
}

/** A moment that several waits share, `ms` milliseconds from now. An infinite one has no timer. */
class Deadline {
  readonly #over: Promise<typeof OVER> | undefined
  #isOver = false
  readonly cancel: () => void = () => {}

  constructor(clock: Clock, ms: number) {
    if (!Number.isFinite(ms)) return
    let over = () => {}
    this.#over = new Promise((resolve) => {
      over = () => resolve(OVER)
    })
    this.cancel = clock.after(ms, () => {
      this.#isOver = true
      over()
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  race<T>(arrival: Promise<T>): Promise<T | typeof OVER> {
    return this.#over ? Promise.race([arrival, this.#over]) : arrival
  }
}

/** How long one reader waits for one flight, and what follows if that fails. */
interface Patience {
  readonly reader: Reader
  readonly soft: Deadline
  readonly hard: Deadline
  /** Another reader began the flight. */
  readonly joined: boolean
  readonly isFirst: boolean
}

/** What a reader waits for. */
type Coming<V> = Pick<Flight<unknown, V>, 'id' | 'arrival'> & { readonly reserve?: Entry<V> | undefined }

/** What a race yields if the time was up first. */
const OVER = Symbol('over')
const ANYTHING: Need = { fresh: false, storedAfterMs: Number.NEGATIVE_INFINITY }
const FRESH: Need = { fresh: true, storedAfterMs: Number.NEGATIVE_INFINITY }
const MAX_ATTEMPTS = 4
