import type { CacheParts, RefreshReason } from '../cache-parts.ts'
import type { Entry } from '../entry.ts'
import type { ResolvedKind } from '../kind.ts'
import type { Flight } from './flight.ts'
import type { Flights } from './flights.ts'
import type { LoadRequest } from './load-queue.ts'

/** Loads entries of one kind anew in the background. */
export class Refreshes<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  readonly #flights: Flights<K, V>

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts, flights: Flights<K, V>) {
    this.#kind = kind
    this.#parts = parts
    this.#flights = flights
  }

  /** Begins to load `entry` anew, unless a flight is under way: then undefined. If the load fails, the entry rests. */
  begin(request: LoadRequest<K>, entry: Entry<V>, why: RefreshReason): Flight<K, V> | undefined {
    const { observer, clock } = this.#parts
    if (this.#flights.has(request.id)) return undefined
    observer.onRefresh?.(this.#kind.name, why)
    const [flight] = this.#flights.launch([request], { fresh: true, storedAfterMs: entry.storedAtMs })
    flight?.arrival.catch((error: Error) => {
      rest(entry, clock.now())
      observer.onRefreshError?.(this.#kind.name, error)
    })
    return flight
  }

  /** Whether this read shall refresh the entry before it turns stale, by XFetch: see `Policy.earlyRefresh`. */
  isDueEarly(entry: Entry<V>, nowMs: number): boolean {
    const leftMs = entry.staleAtMs - nowMs
    const gapMs = entry.loadMs * this.#kind.policy.earlyRefresh
    // Beyond that the odds are one in e²⁰: not worth a logarithm at every hit.
    return leftMs < 20 * gapMs && leftMs <= -gapMs * Math.log(1 - this.#parts.random())
  }
}

/** Keeps the entry from being refreshed for a second, because its load has just failed. */
export function rest(entry: Entry, nowMs: number): void {
  entry.retryAtMs = nowMs + REST_MS
}

export const isResting = ({ retryAtMs }: Entry, nowMs: number): boolean => retryAtMs !== undefined && nowMs < retryAtMs

const REST_MS = 1000
