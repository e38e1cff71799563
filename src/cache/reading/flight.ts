import type { Entry } from '../entry.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import type { Origin, StaleReason } from '../reader.ts'
import type { LoadRequest } from './load-queue.ts'

/** An entry, and how it was come by. */
export interface Obtained<V> {
  readonly entry: Entry<V>
  readonly origin: Origin
  readonly stale?: StaleReason | undefined
}

/** What those who wait for a flight need it to bring. */
export interface Need {
  /** Nothing stale. */
  readonly fresh: boolean
  /** Nothing stored at or before this moment: it is known already. */
  readonly storedAfterMs: number
}

/** One key on its way: everybody who asks for it meanwhile waits for the same arrival. */
export class Flight<K, V> {
  readonly id: string
  readonly key: K
  readonly viewer: string | undefined
  readonly need: Need
  /** Where the ledger stood when it began. */
  readonly epoch: string
  readonly position: number
  /** What came; undefined where nothing could be read that is new enough. */
  readonly arrival: Promise<Obtained<V> | undefined>
  land: (obtained: Obtained<V> | undefined) => void = () => {}
  fail: (error: Error) => void = () => {}
  /** The remote tier didn't have it. */
  missed = false
  /** It reads the source, and brings nothing stale. */
  fromSource = false
  /** What the remote tier had, stale: it may be all there is, should the load fail. */
  reserve: Entry<V> | undefined
  /** Hears when somebody else's lease on its key is given back. */
  ear: Ear | undefined
  #isOver = false
  /** Its part in the lease on its key. */
  lease: LeaseState

  constructor(
    { id, key, viewer }: LoadRequest<K>,
    need: Need,
    { epoch, position }: LogPlace,
    lease: LeaseState,
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
        // Out of the way before anybody learns what it brought.
        onOver(this)
        tell()
      }
      this.land = (obtained) => end(() => resolve(obtained))
      this.fail = (error) => end(() => reject(error))
    })
    // Nobody need wait for it: a refresh goes on by itself.
    this.arrival.catch(() => {})
  }

  /** It has landed or failed. What it set out for may be on its way still, where it took too long. */
  get isOver(): boolean {
    return this.#isOver
  }
}

export interface Ear {
  /** For that long at most. */
  wait(ms: number): void
  stop(): void
}

/**
 * How far a flight is with the lease on its key:
 *
 *   asking  it will ask for it with its next read of the remote tier
 *   held    it has it, and must give it back
 *   none    it does without: there is no remote tier, it failed, or it has waited long enough
 */
export type LeaseState =
  | {
      readonly kind: 'asking'
      readonly holder: string
      readonly evenIfFound: boolean
      readonly from?: string
      readonly untilMs: number
    }
  | { readonly kind: 'held'; readonly holder: string }
  | { readonly kind: 'none' }
