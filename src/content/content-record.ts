import { slugify } from '../domain/slugify.ts'

/** One row's content, as an import writes it and an export reads it. An absent field leaves the row's value as it is. */
export type ContentRecord = UserRecord | AuthorRecord | TagRecord | ArticleRecord

export interface UserRecord {
  readonly type: 'user'
  readonly username: string
  readonly displayName?: string
  readonly email?: string
  readonly bio?: string
  /** Null removes the present one. */
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
  /** Only used if the article is new. Afterwards the database sets it. */
  readonly updatedAt?: string
  /** Ignored if the article has more views already. */
  readonly views?: number
}

/** An author that an article names. Created only if there is no such user. */
export interface AuthorName {
  readonly username: string
  readonly displayName: string
  readonly email?: string
  /** True if the username is made from the name. It may be that of another person, whose name gives the same: see `findAuthors`. */
  readonly isNameOnly?: boolean
}

/** An author whom no article need name. */
export interface AuthorRecord extends AuthorName {
  readonly type: 'author'
}

/** A tag that an article names. Created only if there is no tag of that slug. */
export interface TagName {
  readonly slug: string
  readonly name: string
}

export type RowCounts = Readonly<Record<'users' | 'tags' | 'articles', number>>

/** Where a record was read, for messages. */
export interface Place {
  /** Relative to the imported folder. */
  readonly file: string
  readonly line: number
}

/** Thrown if one record cannot be imported. The import reports it and goes on with the others. */
export class ContentProblem extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** Names the row that a record is written to: no two records of an import may have the same name. */
export function rowNameOf(record: ContentRecord): string {
  return record.type === 'user' || record.type === 'author'
    ? `username "${record.username}"`
    : `${record.type} slug "${record.slug}"`
}

/** A username made from a name: the name itself if `users.username` accepts it, otherwise a slug. */
export function usernameOf(name: string): string {
  return /^[a-z0-9][a-z0-9_-]{0,38}$/.test(name) ? name : slugify(name, 39)
}

/** An author of whom the name is known, or the username. */
export function authorNamed(name: string): AuthorName {
  const username = usernameOf(name)
  return { username, displayName: name, ...(username !== name && { isNameOnly: true }) }
}
