import type { Clock } from '../kernel/clock.ts'
import type { Entry } from './entry.ts'
import type { Ledger } from './ledger.ts'
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

export function conditionOf(
  entry: Entry,
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
  { grace }: ResolvedPolicy,
  reader: Pick<Reader, 'fresh' | 'position'> = {},
): Condition {
  if (!ledger.stands(entry)) return 'void'
  const softenedAt = ledger.softenedAt(entry)
  const overdueMs = clock.now() - entry.staleAtMs
  if (overdueMs < 0 && softenedAt === 0) return 'fresh'
  if (reader.fresh || (softenedAt > 0 && softenedAt <= (reader.position ?? 0))) return 'void'
  // A grace of 0 is none, also for what was softened within its time to live.
  if (grace.staleWhileRevalidateMs > 0 && overdueMs < grace.staleWhileRevalidateMs) return 'stale'
  if (grace.staleIfErrorMs > 0 && overdueMs < grace.staleIfErrorMs) return 'lapsed'
  return 'void'
}
