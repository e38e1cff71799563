import type { Entry } from './entry.ts'
import type { Condition, Judgement } from './judgement.ts'
import type { Ledger, TagWrite } from './ledger/ledger.ts'

/**
 * What a judgement says of an entry, in the four words that tools and explanations show: `stale` stands for stale and lapsed,
 * `dead` for expired and superseded.
 * @example const counts: Record<Standing, number> = { standing: 0, stale: 0, dead: 0, fallen: 0 }
 */
export type Standing = 'standing' | 'stale' | 'dead' | 'fallen'

/**
 * What an entry is worth, and why, for people.
 *
 * @example
 * const { standing, why, by }: EntryExplanation = cities.explain(entry)
 * // 'fallen', 'cities:1 was written at 17, and it is as of 12.', { position: 17, tags: ['cities:1'] }
 */
export interface EntryExplanation {
  readonly key: string
  readonly standing: Standing
  /** A sentence. */
  readonly why: string
  /** The last record of the log that felled or softened it, if one did. */
  readonly by?: TagWrite
  /** The log position that its value was read at, or found to stand at since. */
  readonly asOf: number
  readonly epoch: string
  readonly ageMs: number
  /** How long until it turns stale; below 0, since when it is. */
  readonly ttlMs: number
  readonly tags: readonly string[]
}

/** Puts a judgement into words. Marks nothing. */
export function explainEntry(
  entry: Entry,
  judgement: Judgement,
  { ledger, nowMs }: { readonly ledger: Ledger; readonly nowMs: number },
): EntryExplanation {
  const { key, asOf, epoch, tags, storedAtMs, staleAtMs } = entry
  return {
    key,
    standing: STANDING[judgement.is],
    ...whyOf(entry, judgement, ledger, nowMs),
    asOf,
    epoch,
    ageMs: Math.round(nowMs - storedAtMs),
    ttlMs: Math.round(staleAtMs - nowMs),
    tags,
  }
}

const STANDING: Readonly<Record<Condition, Standing>> = {
  fresh: 'standing',
  stale: 'stale',
  lapsed: 'stale',
  expired: 'dead',
  superseded: 'dead',
  fallen: 'fallen',
}

type Why = Pick<EntryExplanation, 'why' | 'by'>

function whyOf(entry: Entry, { is, by: cause }: Judgement, ledger: Ledger, nowMs: number): Why {
  if (is === 'fallen') return whyFallen(entry, ledger)
  if (is === 'fresh') return { why: 'Nothing that it depends on was written since it was read.' }
  const by = cause === 'soft write' ? ledger.lastWriteSince(entry, 'soft') : undefined
  const reason = by
    ? `${by.tags.join(', ')} was written softly at ${by.position}`
    : `Its time to live ended ${seconds(nowMs - entry.staleAtMs)} ago`
  return { why: `${reason}${CONSEQUENCE[is]}.`, ...(by && { by }) }
}

const CONSEQUENCE = {
  stale: ': it may be served while it is refreshed',
  lapsed: ': it may be served where its load fails or is slow',
  expired: ', and its grace is over',
  superseded: ', and this reader is owed something newer',
} as const

function whyFallen(entry: Entry, ledger: Ledger): Why {
  if (entry.epoch !== ledger.epoch) {
    return { why: `It is of another history of the log: its epoch is ${entry.epoch}, and the log's ${ledger.epoch}.` }
  }
  const by = ledger.lastWriteSince(entry)
  if (!by) return { why: `It is as of ${entry.asOf}, and what was written at or before ${ledger.floor} is forgotten.` }
  const what = by.tags.includes(entry.key) ? 'It was purged by its key' : `${by.tags.join(', ')} was written`
  return { why: `${what} at ${by.position}, and it is as of ${entry.asOf}.`, by }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
