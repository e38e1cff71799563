import type { CacheParts, RefreshReason } from '../cache-parts.ts'
import type { Entry } from '../entry.ts'
import { rest } from '../judgement.ts'
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
}
