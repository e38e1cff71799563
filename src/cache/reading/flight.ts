import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Entry } from '../entry.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import type { Origin, StaleReason } from '../reader.ts'
import type { Found, ReadRequest, RemoteTier } from '../remote/remote-tier.ts'
import type { LoadRequest } from './load-queue.ts'
import type { WhyStrange } from './tiers.ts'

/** An entry, and how it was come by. @example const { entry, origin, stale }: Obtained<City> = obtained */
export interface Obtained<V> {
  readonly entry: Entry<V>
  readonly origin: Origin
  /** Why a stale entry was served. Undefined if it is fresh. */
  readonly stale?: StaleReason | undefined
}

/** What the reads that wait for a flight need it to bring. */
export interface Need {
  /** Nothing stale. */
  readonly fresh: boolean
  /** Nothing stored at or before this moment: the reader has it already. */
  readonly storedAfterMs: number
}

/** One key on its way: all reads that ask for it meanwhile wait for the same arrival. */
export class Flight<K, V> {
  readonly id: string
  readonly key: K
  readonly viewer: string | undefined
  readonly need: Need
  /** Where the ledger stood when it began or, later, when it turned to the source: what was written before does not overtake it. */
  epoch: string
  position: number
  /** What came; undefined if nothing could be read that is new enough. */
  readonly arrival: Promise<Obtained<V> | undefined>
  land: (obtained: Obtained<V> | undefined) => void = () => {}
  fail: (error: Error) => void = () => {}
  /** The remote tier didn't have it. */
  missed = false
  /** It reads the source, and brings nothing stale. */
  fromSource = false
  /** What the remote tier had, stale: it may be all there is if the load fails. */
  reserve: Entry<V> | undefined
  ear: ReleaseEar | undefined
  lease: FlightLease
  /** It has landed or failed. If it took too long, its load may go on. */
  isOver = false

  constructor(
    { id, key, viewer }: LoadRequest<K>,
    need: Need,
    { epoch, position }: LogPlace,
    lease: FlightLease,
    onOver: (flight: Flight<K, V>) => void,
  ) {
    this.id = id
    this.key = key
    this.viewer = viewer
    this.need = need
    this.epoch = epoch
    this.position = position
    this.lease = lease
    this.arrival = new Promise((resolve, reject) => {
      const end = (tell: () => void) => {
        if (this.isOver) return
        this.isOver = true
        // Out of the way before any reader learns what it brought.
        onOver(this)
        tell()
      }
      this.land = (obtained) => end(() => resolve(obtained))
      this.fail = (error) => end(() => reject(error))
    })
    // A refresh goes on although no reader waits for it.
    this.arrival.catch(() => {})
  }

  /** How it asks the remote tier, for a lease of `leaseMs` milliseconds too if it wants one. */
  request(leaseMs: number): ReadRequest {
    if (this.lease.kind !== 'asking') return { key: this.id }
    const { holder, evenIfFound, from } = this.lease
    return { key: this.id, lease: { holder, ms: leaseMs, evenIfFound, ...(from !== undefined && { from }) } }
  }
}

/** What the remote tier had for a flight. */
export interface Received<V> {
  readonly isFound: boolean
  /** Undefined if nothing was found, or if that is no entry. */
  readonly entry: Entry<V> | undefined
  readonly lease: Found['lease']
  /** Why the entry is none, if that is known already. */
  readonly why?: WhyStrange | undefined
}

/**
 * The load of an entry took longer than its kind's `loadTimeout.hardMs`. The load goes on: a later read may find what it brings.
 * @example if (error instanceof LoadTimeoutError) response.statusCode = 504
 */
export class LoadTimeoutError extends Error {
  override readonly name = 'LoadTimeoutError'
  /** The name of the kind. */
  readonly kind: string
  readonly timeoutMs: number

  constructor(kind: string, timeoutMs: number) {
    super(`"${kind}" could not be loaded within ${timeoutMs} ms: try again.`)
    this.kind = kind
    this.timeoutMs = timeoutMs
  }
}

/**
 * How far a flight is with the lease on its key:
 *
 *   asking  it asks for the lease with its next read of the remote tier, and waits for another holder until `untilMs`, by `Clock.elapsed`
 *   held    it has the lease, and must give it back
 *   none    it does without: there is no remote tier, the tier failed, or the flight has waited long enough
 */
export type FlightLease =
  | {
      readonly kind: 'asking'
      readonly holder: string
      readonly evenIfFound: boolean
      readonly from?: string
      readonly untilMs: number
    }
  | { readonly kind: 'held'; readonly holder: string }
  | { readonly kind: 'none' }

/** A holder that no process can guess, and from which others read when the load began. */
export const formatHolder = ({ epoch, position }: LogPlace): string => `${randomUUID()} ${position} ${epoch}`

/** When the load of a lease's holder began. Undefined if the holder is not of this format. */
export function parseHolder(holder: string): LogPlace | undefined {
  const [, position, epoch] = holder.split(' ')
  return epoch === undefined ? undefined : { epoch, position: Number(position) }
}

/** Hears when another holder gives the lease on a key back. */
export interface ReleaseEar {
  /** Goes on when the lease is given back, at once if it was already, or after `ms`. */
  wait(ms: number): void
  stop(): void
}

/** Listens from now on, so that no message is missed between the read and the wait. Calls `goOn` at most once, and only after `wait`. */
export function listenForRelease(key: string, remote: RemoteTier, clock: Clock, goOn: () => void): ReleaseEar {
  let isWaiting = false
  let isReleased = false
  let cancel = () => {}
  const proceed = () => {
    isReleased = true
    if (!isWaiting) return
    isWaiting = false
    stop()
    goOn()
  }
  const deafen = remote.onRelease(key, proceed)
  const stop = () => {
    deafen()
    cancel()
  }
  return {
    wait: (ms) => {
      isWaiting = true
      if (isReleased) proceed()
      else cancel = clock.after(ms, proceed)
    },
    stop,
  }
}
