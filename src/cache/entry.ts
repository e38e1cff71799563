import type { Judgeable } from './ledger/ledger.ts'

/**
 * A cached value and what must be known to judge it. HAZARD: shared by every request of the process; never change `value`.
 *
 * @example
 * const entry: Entry<City> | undefined = cities.getIfPresent(1)
 * if (entry) console.log(entry.value, 'as of', entry.asOf)
 */
export interface Entry<V = unknown> extends Judgeable {
  /** The whole key, with namespace and kind. */
  readonly key: string
  /** Undefined: it is known not to exist. */
  readonly value: V | undefined
  /** How long the load took that brought the value, in milliseconds. */
  readonly loadMs: number
  /** When it was stored, in milliseconds since the Unix epoch. */
  readonly storedAtMs: number
  /** From then on it is stale, in milliseconds since the Unix epoch. */
  readonly staleAtMs: number
  /**
   * The last record of the log that its value shows, as the remote tier has it: tells whether the log still holds the history that
   * the entry was read in. Undefined, unless the entry has just come from there.
   */
  lastRecord?: { readonly position: number; readonly writtenAtUs: number } | undefined
  /** Until then no refresh is tried, because one has failed. Known to this process alone. */
  retryAtMs?: number
  /** Its load saw writes that had no position yet, and one of them may be of what it depends on. So it is as of no position of the log, and is not kept. */
  readonly isOfNoMoment?: true
}
