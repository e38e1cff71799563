import type { Entry, Ledger, NamedKind } from '../../cache/index.ts'

/**
 * What becomes of an entry that is read now:
 *
 *   standing  it is served
 *   stale     it is past its time to live, or was softened: it may be served until it is refreshed, within its grace
 *   dead      its grace is over
 *   fallen    something it depends on was written after it was read, or may have been
 */
export type Standing = 'standing' | 'stale' | 'dead' | 'fallen'

export function judgeEntry(entry: Entry, kind: Pick<NamedKind, 'conditionOf'> | undefined, ledger: Ledger): Standing {
  // A copy: an entry that stands is marked as good as of now.
  if (!ledger.stands({ ...entry })) return 'fallen'
  switch (kind?.conditionOf(entry)) {
    case 'fresh':
      return 'standing'
    case 'stale':
    case 'lapsed':
      return 'stale'
    case 'void':
    case undefined:
      return 'dead'
  }
}

/** Why an entry has fallen. */
export function whyFallen(entry: Entry, ledger: Ledger): string {
  if (entry.epoch !== ledger.epoch) return `the log's epoch is ${ledger.epoch}, not ${entry.epoch}`
  if (entry.asOf < ledger.floor) return `what was written at or before ${ledger.floor} is forgotten`
  const written = entry.tags.filter((tag) => !ledger.stands({ ...entry, tags: [tag] }))
  if (written.length === 0 || !ledger.stands({ ...entry, tags: [] })) return 'it was purged'
  return `written since: ${written.join(', ')}`
}
