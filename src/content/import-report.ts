import type { Place } from './content-record.ts'

export interface ImportReport {
  readonly articles: Counts
  readonly users: Counts
  readonly tags: Counts
  /** The first hundred problems. `problemCount` counts them all. */
  readonly problems: readonly ImportProblem[]
  readonly problemCount: number
  /** The first hundred articles that came in as drafts because their authors hold them back, and why. */
  readonly heldBack: readonly ImportProblem[]
  readonly heldBackCount: number
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
  problems: ImportProblem[] = []
  problemCount = 0
  heldBack: ImportProblem[] = []
  heldBackCount = 0

  report({ file, line }: Place, message: string): void {
    this.problemCount++
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ file, line, message })
  }

  holdBack({ file, line }: Place, reasons: readonly string[]): void {
    this.heldBackCount++
    if (this.heldBack.length < MAX_PROBLEMS)
      this.heldBack.push({ file, line, message: `is a draft: ${reasons.join('; ')}` })
  }

  add(other: ImportReport): void {
    this.articles = sum(this.articles, other.articles)
    this.users = sum(this.users, other.users)
    this.tags = sum(this.tags, other.tags)
    this.problems.push(...other.problems.slice(0, MAX_PROBLEMS - this.problems.length))
    this.problemCount += other.problemCount
    this.heldBack.push(...other.heldBack.slice(0, MAX_PROBLEMS - this.heldBack.length))
    this.heldBackCount += other.heldBackCount
  }
}

export const NONE: Counts = { created: 0, updated: 0, unchanged: 0 }

function sum(a: Counts, b: Counts): Counts {
  return { created: a.created + b.created, updated: a.updated + b.updated, unchanged: a.unchanged + b.unchanged }
}
