import { slugify } from '../domain/slugify.ts'
import { whyUnsearchable } from '../domain/unsearchable.ts'
import {
  type ArticleRecord,
  ContentProblem,
  type ContentRecord,
  type TagRecord,
  type UserRecord,
  usernameOf,
} from './content-record.ts'
import { findRepeatedName } from './find-repeated-name.ts'
import { RecordFields } from './record-fields.ts'

export interface ParsedLine {
  readonly record: ContentRecord
  /** What comes in otherwise than it is written, in words. */
  readonly notes: readonly string[]
  /** The names of the fields that Stet has no place for. */
  readonly unreadFields: readonly string[]
}

/** Parses one line of the JSON Lines that `exportContent` writes. Throws a ContentProblem if it is not a record. */
export function parseJsonLine(text: string, line: number): ParsedLine {
  const value = parseJson(text, line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContentProblem(line, 'should be a JSON object with a "type"')
  }
  const fields = new RecordFields(value, () => line)
  const record = recordOf(fields, line)
  return { record, notes: fields.notes, unreadFields: fields.unread }
}

function recordOf(fields: RecordFields, line: number): ContentRecord {
  const type = fields.oneOf(['user', 'tag', 'article'], 'type')
  switch (type) {
    case 'user':
      return userOf(fields)
    case 'tag':
      return tagOf(fields)
    case 'article':
      return articleOf(fields)
    case undefined:
      throw new ContentProblem(line, 'has no type: should be "user", "tag" or "article"')
    default:
      throw type satisfies never
  }
}

function userOf(fields: RecordFields): UserRecord {
  return {
    type: 'user',
    username: usernameOf(required(fields, 100, 'username')),
    displayName: fields.verbatim(100, 'displayName'),
    email: fields.verbatim(254, 'email') || undefined,
    bio: fields.verbatim(2000, 'bio'),
    avatarUrl: fields.names('avatarUrl') ? fields.verbatim(2000, 'avatarUrl') || null : undefined,
    role: fields.oneOf(['AUTHOR', 'ADMIN'], 'role'),
    createdAt: fields.instant('createdAt'),
  }
}

function tagOf(fields: RecordFields): TagRecord {
  return {
    type: 'tag',
    slug: slugify(required(fields, 1000, 'slug'), 100),
    name: fields.verbatim(100, 'name'),
    description: fields.verbatim(2000, 'description'),
  }
}

function articleOf(fields: RecordFields): ArticleRecord {
  const body = fields.verbatim(500_000, 'body') ?? ''
  const why = whyUnsearchable(body)
  if (why !== undefined) throw fields.problem('body', why)
  const publishedAt = fields.instant('publishedAt')
  const status = fields.oneOf(['DRAFT', 'PUBLISHED'], 'status') ?? (publishedAt ? 'PUBLISHED' : 'DRAFT')
  if (status === 'DRAFT' && publishedAt) throw fields.problem('publishedAt', 'is set, and the article is a draft')
  const author = required(fields, 100, 'author')
  return {
    type: 'article',
    slug: slugify(required(fields, 1000, 'slug'), 200),
    title: fields.verbatim(300, 'title') ?? required(fields, 300, 'title'),
    summary: fields.verbatim(2000, 'summary') ?? '',
    body,
    status,
    author: { username: usernameOf(author), displayName: author },
    tags: tagsOf(fields),
    publishedAt,
    createdAt: fields.instant('createdAt'),
    updatedAt: fields.instant('updatedAt'),
    views: fields.count('views'),
  }
}

function tagsOf(fields: RecordFields): ArticleRecord['tags'] {
  const found = fields.find('tags')
  if (!found) return []
  if (!Array.isArray(found.value) || found.value.some((tag) => typeof tag !== 'string')) {
    throw fields.problem('tags', 'should be a list of slugs')
  }
  const names: string[] = found.value
  fields.checkTags('tags', names, MAX_TAGS)
  for (const name of names) fields.checkLength('tags', name, 100)
  return [...new Map(names.map((name) => [slugify(name, 100), name]))].map(([slug, name]) => ({ slug, name }))
}

/** What `export` writes has no bound but that of a line. */
const MAX_TAGS = 100_000

function required(fields: RecordFields, maxLength: number, name: string): string {
  const text = fields.text(maxLength, name)
  if (!text) throw fields.problem(name, 'is missing')
  return text
}

function parseJson(text: string, line: number): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ContentProblem(line, `is not JSON: ${error instanceof Error ? error.message : error}`)
  }
  const repeated = findRepeatedName(text)
  if (repeated !== undefined) throw new ContentProblem(line, `names ${JSON.stringify(repeated)} twice`)
  return value
}
