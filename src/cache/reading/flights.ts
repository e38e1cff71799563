import { TransientMap } from '../../kernel/transient-map.ts'
import type { CacheParts, RefreshReason } from '../cache-options.ts'
import type { Entry } from '../entry.ts'
import { judge } from '../judgement.ts'
import type { ResolvedKind, Source } from '../kind.ts'
import { withTables } from '../ledger/cache-tag.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import type { Found } from '../remote/remote-tier.ts'
import {
  Flight,
  type FlightLease,
  formatHolder,
  LoadTimeoutError,
  listenForRelease,
  type Need,
  type Obtained,
  parseHolder,
  type Received,
} from './flight.ts'
import { LoadQueue, type LoadRequest } from './load-queue.ts'
import type { Tiers } from './tiers.ts'

/**
 * What is on its way from the remote tier or the source: each key at most once in this process, and, by a lease in the
 * remote tier if the key has one, loaded by one process at a time. A flight that a write has overtaken doesn't count: it may bring the old value.
 */
export class Flights<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  readonly #tiers: Tiers<K, V>
  readonly #queue: LoadQueue<K, V>
  readonly #underWay = new TransientMap<string, Flight<K, V>>()

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts, tiers: Tiers<K, V>) {
    this.#kind = kind
    this.#parts = parts
    this.#tiers = tiers
    this.#queue = new LoadQueue(kind, parts)
  }

  get size(): number {
    return this.#underWay.size
  }

  /** A flight for each of `requests`: one that is under way, if it will bring what is needed, or a new one. */
  joinOrLaunch(
    requests: readonly LoadRequest<K>[],
    need: Need,
  ): { readonly flight: Flight<K, V>; readonly joined: boolean }[] {
    const flights: { readonly flight: Flight<K, V>; readonly joined: boolean }[] = []
    const toLaunch: LoadRequest<K>[] = []
    for (const request of requests) {
      const flight = this.#underWay.get(request.id)
      if (flight && this.#isWorthJoining(flight, request.key, need)) {
        flights.push({ flight, joined: true })
        this.#parts.observer.onFlightJoined?.(this.#kind.name)
      } else toLaunch.push(request)
    }
    for (const flight of this.#launch(toLaunch, need)) flights.push({ flight, joined: false })
    return flights
  }

  /** Begins to load `entry` anew in the background, unless a flight is under way: then undefined. If the load fails, the entry rests. */
  refresh(request: LoadRequest<K>, entry: Entry<V>, why: RefreshReason): Flight<K, V> | undefined {
    const { observer } = this.#parts
    const { name } = this.#kind
    if (this.#underWay.has(request.id)) return undefined
    observer.onRefresh?.(name, why)
    const [flight] = this.#launch([request], { fresh: true, storedAfterMs: entry.storedAtMs })
    flight?.arrival.catch((error: Error) => {
      this.#tiers.rest(entry)
      observer.onRefreshError?.(name, error)
    })
    return flight
  }

  #launch(requests: readonly LoadRequest<K>[], need: Need): Flight<K, V>[] {
    if (requests.length === 0) return []
    const { place } = this.#parts.ledger
    const onOver = (flight: Flight<K, V>) => this.#over(flight)
    const flights = requests.map((each) => new Flight<K, V>(each, need, place, this.#firstLease(each, need), onOver))
    for (const flight of flights) this.#underWay.set(flight.id, flight)
    this.#endInTime(flights)
    void this.#bring(flights)
    return flights
  }

  /** Reads past every flight and lease. What was read from the primary, and stands, is stored, unless memory has it already. */
  async readThrough(requests: readonly LoadRequest<K>[], source: Source = 'primary'): Promise<Obtained<V>[]> {
    const entries = await this.#queue.load(requests, source)
    for (const [index, { key }] of requests.entries()) {
      const entry = entries[index]
      if (entry && source === 'primary' && !this.#tiers.holdsEqual(entry)) this.#tiers.store(key, entry)
    }
    return entries.map((entry) => ({ entry, origin: 'source' }))
  }

  /** Does `entry` show every write logged at or before the position? One that stands is raised to what the ledger has seen, unless it was softened. */
  reflects(entry: Entry<V>, { epoch, position }: LogPlace): boolean {
    this.#parts.ledger.stands(entry)
    return entry.epoch === epoch && entry.asOf >= position
  }

  #isWorthJoining(flight: Flight<K, V>, key: K, need: Need): boolean {
    if (need.fresh && !flight.need.fresh && !flight.fromSource) return false
    return !this.#isOvertaken(flight.id, key, flight, need.fresh)
  }

  /** True if the key was written after the load began: it may bring the old value, and waiting for it would be in vain. */
  #isOvertaken(id: string, key: K, { epoch, position }: LogPlace, bySoftToo: boolean): boolean {
    const { ledger } = this.#parts
    const began = { key: id, epoch, asOf: position, tags: withTables(this.#kind.tags(key, undefined)) }
    return !ledger.stands(began) || (bySoftToo && ledger.softenedAt(began) > 0)
  }

  #firstLease({ key }: LoadRequest<K>, { fresh }: Need): FlightLease {
    const { ledger, clock } = this.#parts
    const { leaseMs } = this.#kind.policy
    if (leaseMs <= 0 || this.#tiers.remote?.wakes !== true || !this.#kind.isLeased(key)) return { kind: 'none' }
    const untilMs = clock.elapsed() + LEASES_WAITED_FOR * leaseMs
    return { kind: 'asking', holder: formatHolder(ledger.place), evenIfFound: fresh, untilMs }
  }

  /** A load that hangs keeps no reader from trying again. If it ends after all, what it brings is kept. */
  #endInTime(flights: readonly Flight<K, V>[]): void {
    const { name, policy } = this.#kind
    const { hardMs } = policy.loadTimeout
    if (!Number.isFinite(hardMs)) return
    const cancel = this.#parts.clock.after(hardMs, () => {
      for (const flight of flights) flight.fail(new LoadTimeoutError(name, hardMs))
    })
    void Promise.allSettled(flights.map(({ arrival }) => arrival)).then(cancel)
  }

  /** Sees every flight to its end. Never rejects. */
  async #bring(flights: readonly Flight<K, V>[]): Promise<void> {
    try {
      const toLoad = await this.#fromRemote(flights)
      if (toLoad.length > 0) await this.#fromSource(toLoad)
    } catch (error) {
      for (const flight of flights) flight.fail(error as Error)
    }
  }

  /** Lands what the remote tier has. Returns what this process shall load. The other flights wait for the process that loads their key. */
  async #fromRemote(flights: readonly Flight<K, V>[]): Promise<readonly Flight<K, V>[]> {
    const { remote } = this.#tiers
    if (!remote) return flights
    // Before the read, because the message that a lease was given back may overtake its answer.
    for (const flight of flights) flight.ear = this.#listen(flight)
    const { leaseMs } = this.#kind.policy
    const found = await remote.read(flights.map((flight) => flight.request(leaseMs))).catch((error: Error) => {
      this.#parts.observer.onRemoteError?.(error)
      return undefined
    })
    const toLoad: Flight<K, V>[] = []
    const askAgain: Flight<K, V>[] = []
    const receive = (flight: Flight<K, V>, received?: Received<V>) => {
      if (!received || flight.isOver) this.#doWithout(flight)
      if (flight.isOver) return
      const next = received ? this.#receive(flight, received) : 'load'
      if (next === 'load') toLoad.push(flight)
      else if (next === 'ask again') askAgain.push(flight)
      else if (next !== 'landed') flight.ear?.wait(next.waitMs)
      if (typeof next !== 'object') flight.ear?.stop()
    }
    const strange: { readonly flight: Flight<K, V>; readonly received: Received<V>; readonly entry: Entry<V> }[] = []
    for (const [index, flight] of flights.entries()) {
      const received = found && this.#decode(flight, found[index])
      const { entry } = received ?? {}
      if (received && entry && this.#tiers.isStrange(entry)) strange.push({ flight, received, entry })
      else receive(flight, received)
    }
    if (strange.length > 0) {
      const why = await this.#tiers.recognize(strange.map(({ entry }) => entry))
      for (const [index, { flight, received }] of strange.entries()) receive(flight, { ...received, why: why[index] })
    }
    return askAgain.length > 0 ? [...toLoad, ...(await this.#fromRemote(askAgain))] : toLoad
  }

  #decode({ id, key }: Flight<K, V>, { bytes, lease }: Found = { bytes: undefined }): Received<V> {
    const entry = bytes && this.#tiers.decode(id, bytes)
    const isOfKind = entry?.value === undefined || this.#kind.isValue(entry.value, key)
    return { isFound: bytes !== undefined, entry: isOfKind ? entry : undefined, lease }
  }

  /** What to do about a flight, now that the remote tier has answered. */
  #receive(flight: Flight<K, V>, { isFound, entry, lease, why }: Received<V>): Next {
    const { observer } = this.#parts
    const before = flight.lease
    if (lease === 'mine' && before.kind === 'asking') flight.lease = { kind: 'held', holder: before.holder }
    const whyStrange = why ?? (entry && this.#tiers.whyStrange(entry))
    if (entry && !whyStrange && this.#serves(flight, entry)) {
      observer.onRequest?.(this.#kind.name, 'redis', 'hit')
      flight.land({ entry, origin: 'redis' })
      return 'landed'
    }
    // Once for each flight, however often it asks.
    if (!flight.missed) {
      flight.missed = true
      observer.onRequest?.(this.#kind.name, 'redis', whyStrange ?? (isFound && !entry ? 'corrupt' : 'miss'))
    }
    if (flight.lease.kind === 'held' || before.kind !== 'asking') return 'load'
    return this.#waitForLease(flight, before, lease, isFound)
  }

  /** Whether an entry of the remote tier serves. One that is usable at all is kept in memory, and in reserve. */
  #serves(flight: Flight<K, V>, entry: Entry<V>): boolean {
    // It was compared, and would only take memory.
    entry.lastRecord = undefined
    const { observer, clock, ledger } = this.#parts
    const { name, policy } = this.#kind
    const judgement = judge(entry, clock.now(), { ledger, grace: policy.grace })
    if (judgement.isUsable) {
      this.#tiers.rememberIfNewer(entry)
      flight.reserve = entry
    }
    const { fresh, storedAfterMs } = flight.need
    const isGood = judgement.is === 'fresh' || (judgement.is === 'stale' && !fresh)
    if (isGood && entry.storedAtMs > storedAfterMs) return true
    observer.onRefused?.(name, 'redis', entry, judgement)
    return false
  }

  /** Nothing served, and the flight has no lease. */
  #waitForLease(
    flight: Flight<K, V>,
    asking: Extract<FlightLease, { kind: 'asking' }>,
    lease: Found['lease'],
    isFound: boolean,
  ): Next {
    const { observer, clock } = this.#parts
    const isRefused = lease === undefined && (asking.evenIfFound || !isFound)
    if (clock.elapsed() >= asking.untilMs || isRefused) {
      flight.lease = { kind: 'none' }
      return 'load'
    }
    if (lease === undefined || lease === 'mine') {
      flight.lease = { ...asking, evenIfFound: true }
      return 'ask again'
    }
    const began = parseHolder(lease.holder)
    if (began && lease.holder !== asking.from && this.#isOvertaken(flight.id, flight.key, began, flight.need.fresh)) {
      flight.lease = { ...asking, evenIfFound: true, from: lease.holder }
      return 'ask again'
    }
    observer.onLeaseAwaited?.(this.#kind.name)
    return { waitMs: Math.min(lease.leftMs, asking.untilMs - clock.elapsed()) }
  }

  #listen(flight: Flight<K, V>): Flight<K, V>['ear'] {
    const { remote } = this.#tiers
    if (!remote || flight.lease.kind !== 'asking') return undefined
    return listenForRelease(flight.id, remote, this.#parts.clock, () => {
      // The lease holder has probably stored the value: read it first, without asking for the lease.
      if (flight.lease.kind === 'asking') flight.lease = { ...flight.lease, evenIfFound: flight.need.fresh }
      void this.#bring([flight])
    })
  }

  /** Gives up the lease that was asked for: it may have been granted, and the answer lost. */
  #doWithout(flight: Flight<K, V>): void {
    if (flight.lease.kind === 'asking') this.#tiers.remote?.release(flight.id, flight.lease.holder)
    flight.lease = { kind: 'none' }
  }

  /** From one source after another, until it is new enough and of a moment. Rejects if a load fails. */
  async #fromSource(flights: readonly Flight<K, V>[]): Promise<void> {
    let waiting = flights
    for (const [index, source] of SOURCES.entries()) {
      for (const flight of waiting) Object.assign(flight, this.#parts.ledger.place, { fromSource: true })
      const entries = await this.#queue.load(waiting, source)
      waiting = waiting.filter((flight, nth) => {
        const entry = entries[nth]
        if (!entry) return false
        this.#tiers.store(flight.key, entry)
        if (!this.reflects(entry, flight)) return true
        // What may show a write that had no position is loaded again at once: then it may be kept, too. Another flight may be doing so.
        if (entry.isOfNoMoment && SOURCES[index + 1] && this.#underWay.get(flight.id) === flight) return true
        flight.land({ entry, origin: 'source' })
        return false
      })
      if (waiting.length === 0) return
    }
    for (const flight of waiting) flight.land(undefined)
  }

  #over(flight: Flight<K, V>): void {
    if (this.#underWay.get(flight.id) === flight) this.#underWay.delete(flight.id)
    flight.ear?.stop()
    if (flight.lease.kind === 'held') this.#tiers.remote?.release(flight.id, flight.lease.holder)
  }
}

type Next = 'landed' | 'load' | 'ask again' | { readonly waitMs: number }

/** The nearest first; and the primary once more, for what was of no moment there. */
const SOURCES: readonly Source[] = ['any', 'primary', 'primary']
/** So that the death of one holder, and of the next, delays no reader for longer. */
const LEASES_WAITED_FOR = 2
