import { conditionOf } from './condition.ts'
import type { Entry } from './entry.ts'
import type { Ledger, TagWrite } from './ledger/ledger.ts'
import { graceMs, type ResolvedPolicy } from './policy.ts'
import type { Reader } from './reader.ts'

/**
 * What becomes of an entry that is read now:
 *
 *   standing  it is served
 *   stale     it is past its time to live, or was softened: it may be served until it is refreshed, within its grace
 *   dead      its grace is over, or the reader is owed something newer
 *   fallen    something it depends on was written after it was read, or may have been
 */
export type Standing = 'standing' | 'stale' | 'dead' | 'fallen'

/** What an entry is worth, and why, for people. */
export interface EntryExplanation {
  readonly key: string
  readonly standing: Standing
  /** A sentence. */
  readonly why: string
  /** The last record of the log that felled or softened it, where one did. */
  readonly by?: TagWrite
  readonly asOf: number
  readonly epoch: string
  readonly ageMs: number
  /** How long until it turns stale; below 0, since when it is. */
  readonly ttlMs: number
  readonly tags: readonly string[]
}

/** Judges an entry as a read would, and says why. Marks nothing. */
export function explainEntry(
  entry: Entry,
  now: { readonly ledger: Ledger; readonly nowMs: number },
  policy: ResolvedPolicy,
  reader?: Pick<Reader, 'fresh' | 'position'>,
): EntryExplanation {
  const { key, asOf, epoch, tags, storedAtMs, staleAtMs } = entry
  const { nowMs } = now
  return {
    key,
    ...judge(entry, now, policy, reader),
    asOf,
    epoch,
    ageMs: Math.round(nowMs - storedAtMs),
    ttlMs: Math.round(staleAtMs - nowMs),
    tags,
  }
}

function judge(
  entry: Entry,
  { ledger, nowMs }: { readonly ledger: Ledger; readonly nowMs: number },
  policy: ResolvedPolicy,
  reader?: Pick<Reader, 'fresh' | 'position'>,
): Pick<EntryExplanation, 'standing' | 'why' | 'by'> {
  // A copy: an entry that stands is marked as good as of now.
  const condition = conditionOf({ ...entry }, nowMs, { ledger, grace: policy.grace }, reader)
  if (!ledger.stands({ ...entry })) return { standing: 'fallen', ...whyFallen(entry, ledger) }
  if (condition === 'fresh') {
    return { standing: 'standing', why: 'Nothing that it depends on was written since it was read.' }
  }
  const softened = ledger.lastWriteSince(entry, 'soft')
  const overdueMs = nowMs - entry.staleAtMs
  const reason = softened
    ? `${softened.tags.join(', ')} was written softly at ${softened.position}`
    : `Its time to live ended ${seconds(overdueMs)} ago`
  const by = softened && { by: softened }
  if (condition !== 'void') {
    const how = condition === 'stale' ? 'while it is refreshed' : 'where its load fails or is slow'
    return { standing: 'stale', why: `${reason}: it may be served ${how}.`, ...by }
  }
  const end =
    overdueMs < graceMs(policy) && graceMs(policy) > 0 ? 'this reader is owed something newer' : 'its grace is over'
  return { standing: 'dead', why: `${reason}, and ${end}.`, ...by }
}

function whyFallen(entry: Entry, ledger: Ledger): Pick<EntryExplanation, 'why' | 'by'> {
  if (entry.epoch !== ledger.epoch) {
    return { why: `It is of another history of the log: its epoch is ${entry.epoch}, and the log's ${ledger.epoch}.` }
  }
  const by = ledger.lastWriteSince(entry)
  if (!by) return { why: `It is as of ${entry.asOf}, and what was written at or before ${ledger.floor} is forgotten.` }
  const what = by.tags.includes(entry.key) ? 'It was purged by its key' : `${by.tags.join(', ')} was written`
  return { why: `${what} at ${by.position}, and it is as of ${entry.asOf}.`, by }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
