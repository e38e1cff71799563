import type { Log } from './log.ts'

export interface PrunerOptions {
  readonly log: Log
  /** The log keeps at least this many records, and any record at least this long. */
  readonly keepRecords: number
  readonly keepMs: number
  /** How often to look, in milliseconds. Default one minute. */
  readonly everyMs?: number
  readonly onError: (error: Error) => void
}

/** Prunes the log now and then. Every node may: what is gone is gone. Returns how to stop. */
export function startPruner({ log, keepRecords, keepMs, everyMs = 60_000, onError }: PrunerOptions): () => void {
  const timer = setInterval(() => {
    log.prune(keepRecords, keepMs).catch(onError)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
