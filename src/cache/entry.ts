import type { Judgeable } from './ledger.ts'

/** A cached value and what must be known to judge it. HAZARD: shared by every request of the process; never change `value`. */
export interface Entry<V = unknown> extends Judgeable {
  /** The whole key, with namespace and kind. */
  readonly key: string
  /** Undefined: known not to exist. */
  readonly value: V | undefined
  readonly storedAtMs: number
  /** From then on it is loaded again, standing or not. */
  readonly staleAtMs: number
  /** How long the load that brought it took: dear entries are worth loading again early. */
  readonly loadMs: number
}
