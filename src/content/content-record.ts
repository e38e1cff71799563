/** What an import writes and an export reads, one at a time. An absent field leaves the row's value as it is. */
export type ContentRecord = UserRecord | TagRecord | ArticleRecord

export interface UserRecord {
  readonly type: 'user'
  readonly username: string
  readonly displayName?: string
  readonly email?: string
  readonly bio?: string
  /** Null removes it. */
  readonly avatarUrl?: string | null
  readonly role?: string
  readonly createdAt?: string
}

export interface TagRecord {
  readonly type: 'tag'
  readonly slug: string
  readonly name?: string
  readonly description?: string
}

/** Dates are ISO 8601 with a zone. */
export interface ArticleRecord {
  readonly type: 'article'
  readonly slug: string
  readonly title: string
  readonly summary: string
  readonly body: string
  readonly status: 'DRAFT' | 'PUBLISHED'
  readonly author: AuthorName
  readonly tags: readonly TagName[]
  readonly publishedAt?: string
  readonly createdAt?: string
  /** When the article is new; afterwards the database keeps it. */
  readonly updatedAt?: string
  /** Never lowers a count. */
  readonly views?: number
}

/** An author as an article names one: written only when there is none of that username. */
export interface AuthorName {
  readonly username: string
  readonly displayName: string
  readonly email?: string
}

/** A tag as an article names one: written only when there is none of that slug. */
export interface TagName {
  readonly slug: string
  readonly name: string
}

/** Where a record stands, for messages. */
export interface Place {
  /** Relative to the folder that is imported. */
  readonly file: string
  readonly line: number
}

/** Why one record cannot be imported; the others can. */
export class ContentProblem extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** What names the row that a record becomes. */
export function rowNameOf(record: ContentRecord): string {
  return record.type === 'user' ? `username "${record.username}"` : `${record.type} slug "${record.slug}"`
}
