import type { Place } from './content-record.ts'

export interface ImportReport {
  readonly articles: Counts
  readonly users: Counts
  readonly tags: Counts
  /** How many files were found. Each was read, could not be read, or is not read. */
  readonly files: number
  /** The first hundred records that were left out. `problemCount` counts them all. */
  readonly problems: readonly ImportProblem[]
  readonly problemCount: number
  /** The first hundred articles that came in as drafts because their authors hold them back, and why. */
  readonly heldBack: readonly ImportProblem[]
  readonly heldBackCount: number
  /** The first hundred remarks on articles that came in, but not as they are. */
  readonly notes: readonly ImportProblem[]
  readonly noteCount: number
  /** The first hundred files and folders that hold no articles as far as their names say. */
  readonly notRead: readonly ImportProblem[]
  readonly notReadCount: number
}

export interface Counts {
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/** What became of one record, and why. */
export interface ImportProblem extends Place {
  readonly message: string
}

const MAX_PROBLEMS = 100

/** Adds up the reports of the batches of an import. */
export class ImportTally implements ImportReport {
  articles: Counts = NONE
  users: Counts = NONE
  tags: Counts = NONE
  files = 0
  problems: ImportProblem[] = []
  problemCount = 0
  heldBack: ImportProblem[] = []
  heldBackCount = 0
  notes: ImportProblem[] = []
  noteCount = 0
  notRead: ImportProblem[] = []
  notReadCount = 0

  report(at: Place, message: string): void {
    this.problemCount += list(this.problems, at, message)
  }

  holdBack(at: Place, reasons: readonly string[]): void {
    this.heldBackCount += list(this.heldBack, at, `is a draft: ${reasons.join('; ')}`)
  }

  note(at: Place, message: string): void {
    this.noteCount += list(this.notes, at, message)
  }

  leaveUnread(at: Place, message: string): void {
    this.notReadCount += list(this.notRead, at, message)
  }

  /** Adds what was written, and what could not be. */
  add(
    other: Pick<ImportReport, 'articles' | 'users' | 'tags' | 'problems' | 'problemCount' | 'notes' | 'noteCount'>,
  ): void {
    this.articles = sum(this.articles, other.articles)
    this.users = sum(this.users, other.users)
    this.tags = sum(this.tags, other.tags)
    this.problems.push(...other.problems.slice(0, MAX_PROBLEMS - this.problems.length))
    this.problemCount += other.problemCount
    this.notes.push(...other.notes.slice(0, MAX_PROBLEMS - this.notes.length))
    this.noteCount += other.noteCount
  }
}

/** Adds to a list that holds the first hundred. Returns by how much its count grows. */
function list(items: ImportProblem[], { file, line }: Place, message: string): 1 {
  if (items.length < MAX_PROBLEMS) items.push({ file, line, message })
  return 1
}

export const NONE: Counts = { created: 0, updated: 0, unchanged: 0 }

function sum(a: Counts, b: Counts): Counts {
  return { created: a.created + b.created, updated: a.updated + b.updated, unchanged: a.unchanged + b.unchanged }
}
