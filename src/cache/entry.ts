import type { Judgeable } from './ledger/ledger.ts'

/** A cached value and what must be known to judge it. HAZARD: shared by every request of the process; never change `value`. */
export interface Entry<V = unknown> extends Judgeable {
  /** The whole key, with namespace and kind. */
  readonly key: string
  /** Undefined: known not to exist. */
  readonly value: V | undefined
  /** How long the load took that brought the value, in milliseconds. */
  readonly loadMs: number
  readonly storedAtMs: number
  /** From then on it is loaded again, standing or not. */
  readonly staleAtMs: number
  /** Until then no other refresh is tried, since one has failed. Of this process alone. */
  retryAtMs?: number
}
