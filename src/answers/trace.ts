import { AsyncLocalStorage } from 'node:async_hooks'
import type { CacheObserver, Entry, Judgement, RoundTrip } from '../cache/index.ts'
import type { SentStatement } from '../database/index.ts'

/** What one request has done, noted while it is explained. What several requests share is noted for the one that began it. */
export class Trace {
  readonly statements: SentStatement[] = []
  readonly roundTrips: RoundTrip[] = []
  /** Look-ups that waited for a load of another request (`flightsJoined`) or of another node (`leasesAwaited`). */
  flightsJoined = 0
  leasesAwaited = 0
  /** How often what was read was no snapshot, and was read again. */
  madeAgain = 0
  /** What a tier held and didn't serve, by tier and key, as it was judged then. */
  readonly refused = new Map<string, { readonly entry: Entry; readonly judgement: Judgement }>()

  /** Runs `work`, and notes what is done for it until it ends. Rejects as `work` does. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    running.add(this)
    try {
      return await storage.run(this, work)
    } finally {
      running.delete(this)
      // While the storage is enabled every promise of the process takes longer.
      if (running.size === 0) storage.disable()
    }
  }

  /** The trace of the request that this code runs for. Undefined if that is not explained, or has ended. */
  static get current(): Trace | undefined {
    if (running.size === 0) return undefined
    const trace = storage.getStore()
    return trace && running.has(trace) ? trace : undefined
  }
}

/** An observer that also notes what happens in the current trace. */
export const tracing = (observer: CacheObserver): CacheObserver => ({
  ...observer,
  onRefused: (kind, tier, entry, judgement) => {
    observer.onRefused?.(kind, tier, entry, judgement)
    Trace.current?.refused.set(`${tier} ${entry.key}`, { entry, judgement })
  },
  onFlightJoined: (kind) => {
    observer.onFlightJoined?.(kind)
    const trace = Trace.current
    if (trace) trace.flightsJoined++
  },
  onMadeAgain: (attempt) => {
    observer.onMadeAgain?.(attempt)
    const trace = Trace.current
    if (trace) trace.madeAgain++
  },
  onLeaseAwaited: (kind) => {
    observer.onLeaseAwaited?.(kind)
    const trace = Trace.current
    if (trace) trace.leasesAwaited++
  },
})

const storage = new AsyncLocalStorage<Trace>()
const running = new Set<Trace>()
