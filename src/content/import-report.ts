import type { Place } from './content-record.ts'

/** What became of a Markdown file, of one record of another file, or of a file that holds neither. */
export interface Outcome extends Place {
  /**
   * - `imported`: it came in, as it is.
   * - `draft`: it came in, and is not public.
   * - `skipped`: it should have come in, and did not.
   * - `not read`: as far as its name or its fields say, it is no article.
   */
  readonly outcome: 'imported' | 'draft' | 'skipped' | 'not read'
  /** The reasons, in words. Empty if it was imported. */
  readonly why: readonly string[]
  /** What came in otherwise than it is written, in words. */
  readonly notes: readonly string[]
}

export interface ImportReport {
  /** How many files were found. A folder that is not looked into counts as one. */
  readonly files: number
  /** How many outcomes there were of each sort. A Markdown file has one, any other file one for each record. */
  readonly outcomes: Readonly<Record<Outcome['outcome'], number>>
  /** How many outcomes had notes. */
  readonly noted: number
  /** The fields that Stet has no place for, and how many articles, users or tags have each. They are left out. */
  readonly unreadFields: Readonly<Record<string, number>>
  /** How often each reason was given, under its outcome. Values are left out of a reason. */
  readonly reasons: Readonly<Record<Outcome['outcome'], Readonly<Record<string, number>>>>
  readonly articles: Counts
  readonly users: Counts
  readonly tags: Counts
}

export interface Counts {
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/** The rows that a batch of records wrote. */
export type RowsWritten = Pick<ImportReport, 'articles' | 'users' | 'tags'>

/** Adds up an import. */
export class ImportTally implements ImportReport {
  files = 0
  readonly outcomes = { imported: 0, draft: 0, skipped: 0, 'not read': 0 }
  noted = 0
  /** Without a prototype: a file may name a field `constructor`. */
  readonly unreadFields: Record<string, number> = Object.create(null)
  readonly reasons = { imported: {}, draft: {}, skipped: {}, 'not read': {} }
  articles = NONE
  users = NONE
  tags = NONE

  count({ outcome, why, notes }: Outcome): void {
    this.outcomes[outcome]++
    if (notes.length > 0) this.noted++
    for (const reason of why.map(withoutValues)) countUnder(this.reasons[outcome], reason, 'another reason')
  }

  countUnread(fields: readonly string[]): void {
    for (const field of fields) countUnder(this.unreadFields, field.slice(0, 100), 'another field')
  }

  add({ articles, users, tags }: RowsWritten): void {
    this.articles = sum(this.articles, articles)
    this.users = sum(this.users, users)
    this.tags = sum(this.tags, tags)
  }
}

/** Counts under a name. Once there are far more names than any import has, counts under `other`: they don't fill the memory. */
function countUnder(counts: Record<string, number>, name: string, other: string): void {
  const under = name in counts || Object.keys(counts).length < MAX_NAMES ? name : other
  counts[under] = (counts[under] ?? 0) + 1
}

const MAX_NAMES = 50

/** The part of a reason that it shares with others of its kind. */
function withoutValues(reason: string): string {
  return reason
    .replace(/(?<![-\w])\d+\b/g, '…')
    .split(/[:;"]/, 1)
    .join('')
    .trim()
}

export const NONE: Counts = { created: 0, updated: 0, unchanged: 0 }

function sum(a: Counts, b: Counts): Counts {
  return { created: a.created + b.created, updated: a.updated + b.updated, unchanged: a.unchanged + b.unchanged }
}
