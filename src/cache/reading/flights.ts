import { randomUUID } from 'node:crypto'
import type { CacheParts } from '../cache-parts.ts'
import type { Entry } from '../entry.ts'
import { judge } from '../judgement.ts'
import type { ResolvedKind, Source } from '../kind.ts'
import { withTables } from '../ledger/cache-tag.ts'
import type { Ledger, LogPlace } from '../ledger/ledger.ts'
import { LoadTimeoutError } from '../load-timeout-error.ts'
import { decodeEntry } from '../remote/envelope.ts'
import type { Found, LeaseRequest } from '../remote/remote-tier.ts'
import { type Ear, Flight, type Need, type Obtained } from './flight.ts'
import { LoadQueue, type LoadRequest } from './load-queue.ts'
import type { Tiers } from './tiers.ts'

/**
 * What is on its way from the remote tier or the source: each key at most once in this process, and, by a lease in the
 * remote tier, loaded by one process at a time. A flight that a write has overtaken doesn't count: it may bring the old value.
 */
export class Flights<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  readonly #tiers: Tiers<V>
  readonly #queue: LoadQueue<K, V>
  readonly #underWay = new Map<string, Flight<K, V>>()

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts, tiers: Tiers<V>) {
    this.#kind = kind
    this.#parts = parts
    this.#tiers = tiers
    this.#queue = new LoadQueue(kind, parts)
  }

  get size(): number {
    return this.#underWay.size
  }

  has(id: string): boolean {
    return this.#underWay.has(id)
  }

  /** A flight for each of `requests`: one that is under way, where it will bring what is needed, or a new one. */
  joinOrLaunch(
    requests: readonly LoadRequest<K>[],
    need: Need,
  ): { readonly flight: Flight<K, V>; readonly joined: boolean }[] {
    const joined = new Map<string, Flight<K, V>>()
    for (const { id, key } of requests) {
      const flight = this.#underWay.get(id)
      if (!flight || !this.#isWorthJoining(flight, key, need)) continue
      joined.set(id, flight)
      this.#parts.observer.onFlightJoined?.(this.#kind.name)
    }
    const launched = this.launch(
      requests.filter(({ id }) => !joined.has(id)),
      need,
    )
    return [...joined.values(), ...launched].map((flight) => ({ flight, joined: joined.has(flight.id) }))
  }

  launch(requests: readonly LoadRequest<K>[], need: Need): Flight<K, V>[] {
    const { ledger, clock } = this.#parts
    const { leaseMs } = this.#kind.policy
    const leased = leaseMs > 0 && this.#tiers.remote?.wakes === true
    const flights = requests.map(
      (one) =>
        new Flight<K, V>(
          one,
          need,
          ledger.place,
          leased
            ? {
                kind: 'asking',
                holder: formatHolder(ledger),
                evenIfFound: need.fresh,
                untilMs: clock.now() + LEASES_WAITED_FOR * leaseMs,
              }
            : { kind: 'none' },
          (flight) => this.#over(flight),
        ),
    )
    for (const flight of flights) this.#underWay.set(flight.id, flight)
    if (flights.length > 0) {
      this.#endInTime(flights)
      void this.#bring(flights)
    }
    return flights
  }

  /** Reads from the primary, past every flight and lease, and stores what stands. */
  async readThrough(requests: readonly LoadRequest<K>[]): Promise<Obtained<V>[]> {
    const entries = await this.#queue.load(requests, 'primary')
    for (const entry of entries) this.#tiers.store(entry)
    return entries.map((entry) => ({ entry, origin: 'source' }))
  }

  /** Does `entry` show every write logged at or before the position? */
  reflects(entry: Entry<V>, { epoch, position }: LogPlace): boolean {
    // To stand raises it to what the ledger has seen, unless it was softened.
    this.#parts.ledger.stands(entry)
    return entry.epoch === epoch && entry.asOf >= position
  }

  #isWorthJoining(flight: Flight<K, V>, key: K, need: Need): boolean {
    if (need.fresh && !flight.need.fresh && !flight.fromSource) return false
    return !this.#isOvertaken(flight.id, key, flight, need.fresh)
  }

  /** True where the key was written after the load began: it may bring the old value, and waiting for it would be in vain. */
  #isOvertaken(id: string, key: K, { epoch, position }: LogPlace, bySoftToo: boolean): boolean {
    const { ledger } = this.#parts
    const began = { key: id, epoch, asOf: position, tags: withTables(this.#kind.tags(key, undefined)) }
    return !ledger.stands(began) || (bySoftToo && ledger.softenedAt(began) > 0)
  }

  /** A load that hangs keeps nobody from trying again. Should it end after all, what it brings is kept. */
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

  /** Lands what the remote tier has. Returns what this process shall load: the rest waits for others that load it already. */
  async #fromRemote(flights: readonly Flight<K, V>[]): Promise<Flight<K, V>[]> {
    const { remote } = this.#tiers
    if (!remote) return [...flights]
    const { observer } = this.#parts
    // Heard of from before the question on, lest the answer come after the message.
    for (const flight of flights) flight.ear = this.#listen(flight)
    const found = await remote
      .read(flights.map((flight) => ({ key: flight.id, ...this.#leaseRequest(flight) })))
      .catch((error: Error) => {
        observer.onRemoteError?.(error)
        return undefined
      })
    const toLoad: Flight<K, V>[] = []
    const askAgain: Flight<K, V>[] = []
    for (const [index, flight] of flights.entries()) {
      if (!found || flight.isOver) this.#doWithout(flight)
      if (flight.isOver) continue
      const next = found ? this.#receive(flight, found[index]) : 'load'
      if (next === 'load') toLoad.push(flight)
      else if (next === 'ask again') askAgain.push(flight)
      else if (next !== 'landed') flight.ear?.wait(next.waitMs)
      if (typeof next !== 'object') flight.ear?.stop()
    }
    return askAgain.length > 0 ? [...toLoad, ...(await this.#fromRemote(askAgain))] : toLoad
  }

  /** What to do about a flight, now that the remote tier has answered. */
  #receive(
    flight: Flight<K, V>,
    { bytes, lease }: Found = { bytes: undefined },
  ): 'landed' | 'load' | 'ask again' | { readonly waitMs: number } {
    const { observer, clock, ledger } = this.#parts
    const { name, policy } = this.#kind
    const asked = flight.lease
    if (lease === 'mine' && asked.kind === 'asking') flight.lease = { kind: 'held', holder: asked.holder }
    const entry = bytes && decodeEntry<V>(flight.id, bytes)
    const judgement = entry && judge(entry, clock.now(), { ledger, grace: policy.grace })
    if (entry && judgement?.isUsable) {
      this.#rememberIfNewer(entry)
      flight.reserve = entry
    }
    const serves = judgement?.is === 'fresh' || (judgement?.is === 'stale' && !flight.need.fresh)
    if (entry && serves && entry.storedAtMs > flight.need.storedAfterMs) {
      observer.onRequest?.(name, 'redis', 'hit')
      flight.land({ entry, origin: 'redis' })
      return 'landed'
    }
    if (entry && judgement) observer.onRefused?.(name, 'redis', entry, judgement)
    // Once for each flight, however often it asks.
    if (!flight.missed) {
      flight.missed = true
      observer.onRequest?.(name, 'redis', bytes && !entry ? 'corrupt' : 'miss')
    }
    if (flight.lease.kind === 'held' || asked.kind !== 'asking') return 'load'
    if (clock.now() >= asked.untilMs || (lease === undefined && (asked.evenIfFound || !bytes))) {
      flight.lease = { kind: 'none' }
      return 'load'
    }
    if (lease === undefined || lease === 'mine') {
      flight.lease = { ...asked, evenIfFound: true }
      return 'ask again'
    }
    const began = parseHolder(lease.holder)
    if (began && lease.holder !== asked.from && this.#isOvertaken(flight.id, flight.key, began, flight.need.fresh)) {
      flight.lease = { ...asked, evenIfFound: true, from: lease.holder }
      return 'ask again'
    }
    observer.onLeaseAwaited?.(name)
    return { waitMs: Math.min(lease.leftMs, asked.untilMs - clock.now()) }
  }

  /** The lease may have been granted, and the answer lost. */
  #doWithout(flight: Flight<K, V>): void {
    if (flight.lease.kind === 'asking') this.#tiers.remote?.release(flight.id, flight.lease.holder)
    flight.lease = { kind: 'none' }
  }

  /** Until the lease is given back, or over, or has been waited for long enough: then the flight goes on. */
  #listen(flight: Flight<K, V>): Ear | undefined {
    const { remote } = this.#tiers
    if (!remote || flight.lease.kind !== 'asking') return undefined
    let waiting = false
    let woken = false
    let cancel = () => {}
    const goOn = () => {
      woken = true
      if (!waiting) return
      waiting = false
      stop()
      // Most likely it is there now: no lease is needed to take it.
      if (flight.lease.kind === 'asking') flight.lease = { ...flight.lease, evenIfFound: flight.need.fresh }
      void this.#bring([flight])
    }
    const deafen = remote.onRelease(flight.id, goOn)
    const stop = () => {
      deafen()
      cancel()
    }
    return {
      wait: (ms) => {
        waiting = true
        if (woken) goOn()
        else cancel = this.#parts.clock.after(ms, goOn)
      },
      stop,
    }
  }

  #leaseRequest(flight: Flight<K, V>): { readonly lease?: LeaseRequest } {
    const { lease } = flight
    if (lease.kind !== 'asking') return {}
    const { holder, evenIfFound, from } = lease
    const { leaseMs: ms } = this.#kind.policy
    return { lease: { holder, ms, evenIfFound, ...(from === undefined ? {} : { from }) } }
  }

  /** From each source in turn until it is new enough. Rejects where a load fails. */
  async #fromSource(flights: readonly Flight<K, V>[]): Promise<void> {
    for (const flight of flights) flight.fromSource = true
    let wanting = [...flights]
    for (const source of NEAREST_FIRST) {
      const entries = await this.#queue.load(wanting, source)
      const behind: Flight<K, V>[] = []
      for (const [index, flight] of wanting.entries()) {
        const entry = entries[index]
        if (!entry) continue
        this.#tiers.store(entry)
        if (this.reflects(entry, flight)) flight.land({ entry, origin: 'source' })
        else behind.push(flight)
      }
      wanting = behind
      if (wanting.length === 0) return
    }
    for (const flight of wanting) flight.land(undefined)
  }

  #rememberIfNewer(entry: Entry<V>): void {
    const known = this.#tiers.inMemory(entry.key)
    // Not by when they turn stale: the life of the newer one may be the shorter.
    if (!known || known.storedAtMs < entry.storedAtMs || !this.#parts.ledger.stands(known)) this.#tiers.remember(entry)
  }

  #over(flight: Flight<K, V>): void {
    if (this.#underWay.get(flight.id) === flight) this.#underWay.delete(flight.id)
    flight.ear?.stop()
    if (flight.lease.kind === 'held') this.#tiers.remote?.release(flight.id, flight.lease.holder)
  }
}

/** Nobody can guess it, and others read from it when the load began. */
const formatHolder = ({ place }: Ledger): string => `${randomUUID()} ${place.position} ${place.epoch}`

/** When the load of a lease's holder began. Undefined for what isn't ours to read. */
function parseHolder(holder: string): LogPlace | undefined {
  const [, position, epoch] = holder.split(' ')
  return epoch === undefined ? undefined : { epoch, position: Number(position) }
}

const NEAREST_FIRST: readonly Source[] = ['any', 'primary']
/** So that the death of one holder, and of the next, delays nobody for longer. */
const LEASES_WAITED_FOR = 2
