import type { Log } from './log.ts'

/**
 * Deletes old records of the log, again and again. Returns a function that stops it. Several processes may do so at once.
 *
 * A process that has missed more than the log still holds can no longer use anything cached before. So keep more than any process
 * may miss: an hour, say.
 * @example const stop = startPruner({ log, keepRecords: 100_000, keepMs: 3_600_000, onError: console.error })
 */
export function startPruner({ log, keepRecords, keepMs, everyMs = 60_000, onError }: PrunerOptions): () => void {
  const timer = setInterval(() => {
    log.prune(keepRecords, keepMs).catch(onError)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * A record is deleted once it is both older than `keepMs` and not among the last `keepRecords`.
 * @example const options: PrunerOptions = { log, keepRecords: 100_000, keepMs: 3_600_000, onError: console.error }
 */
export interface PrunerOptions {
  readonly log: Log
  readonly keepRecords: number
  /** In milliseconds. */
  readonly keepMs: number
  /** How often to delete, in milliseconds. Default: one minute. */
  readonly everyMs?: number
  /** Gets what the log rejected with. The next attempt comes after `everyMs`. */
  readonly onError: (error: Error) => void
}
