import type { Entry } from '../entry.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import type { Origin, StaleReason } from '../reader.ts'
import type { FlightLease, ReleaseEar } from './flight-lease.ts'
import type { LoadRequest } from './load-queue.ts'

/**
 * An entry, and how it was come by.
 *
 * @example
 * const { entry, origin, stale }: Obtained<City> = obtained
 */
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
  /** Where the ledger stood when it began. */
  readonly epoch: string
  readonly position: number
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
  #isOver = false

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
        if (this.#isOver) return
        this.#isOver = true
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

  /** It has landed or failed. If it took too long, its load may go on. */
  get isOver(): boolean {
    return this.#isOver
  }
}
