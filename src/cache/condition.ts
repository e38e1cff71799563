import type { Entry } from './entry.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { ResolvedPolicy } from './policy.ts'
import type { Reader } from './reader.ts'

/**
 * What an entry is good for, now and for one reader:
 *
 *   fresh   it stands, within its time to live
 *   stale   it stands, and may be served while it is refreshed
 *   lapsed  it stands, and may be served only where its load fails or is slow
 *   void    it has fallen, or its grace is over, or the reader is owed something newer
 */
export type Condition = 'fresh' | 'stale' | 'lapsed' | 'void'

/** By what the entries of a kind are judged. */
export interface Rules extends Pick<ResolvedPolicy, 'grace'> {
  readonly ledger: Ledger
}

export function conditionOf(
  entry: Entry,
  nowMs: number,
  { ledger, grace }: Rules,
  reader: Pick<Reader, 'fresh' | 'position'> = {},
): Condition {
  if (!ledger.stands(entry)) return 'void'
  const softened = ledger.softenedAt(entry) > 0
  const overdueMs = nowMs - entry.staleAtMs
  if (overdueMs < 0 && !softened) return 'fresh'
  // It may have been softened several times, and the ledger knows the last: any that follows `asOf` may have been another.
  const mayKnowBetter = softened && (reader.position ?? 0) > entry.asOf
  if (reader.fresh || mayKnowBetter) return 'void'
  // A grace of 0 is none, also for what was softened within its time to live.
  if (grace.staleWhileRevalidateMs > 0 && overdueMs < grace.staleWhileRevalidateMs) return 'stale'
  if (grace.staleIfErrorMs > 0 && overdueMs < grace.staleIfErrorMs) return 'lapsed'
  return 'void'
}
