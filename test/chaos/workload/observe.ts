import { parseGlobalId } from '../../../src/identity/global-id.ts'
import type { Observation, RowKey } from '../history/history.ts'

/** What an answer says of single rows: every object in it that has an id, wherever it stands. */
export function observeRows(data: unknown): Observation[] {
  if (Array.isArray(data)) return data.flatMap(observeRows)
  if (typeof data !== 'object' || data === null) return []
  const fields = data as Fields
  return [...observeObject(fields), ...Object.values(fields).flatMap(observeRows)]
}

/** The key of the row that a global id stands for. */
function rowOf(globalId: string): RowKey | undefined {
  const parsed = parseGlobalId(globalId)
  const table = parsed && TABLES[parsed.type]
  return table && `${table}:${parsed.id}`
}

export const rowId = (globalId: string): number => parseGlobalId(globalId)?.id ?? 0

type Fields = Readonly<Record<string, unknown>>

function observeObject(fields: Fields): Observation[] {
  const row = typeof fields.id === 'string' ? rowOf(fields.id) : undefined
  if (row === undefined) return []
  const id = Number(row.split(':')[1])
  const state: Record<string, unknown> = {}
  for (const [field, column] of Object.entries(COLUMNS)) if (field in fields) state[column] = fields[field]
  // Nobody but the user and admins is shown it.
  if (fields.email != null) state.email = fields.email
  const { author, tags, viewCount } = fields
  if (author) state.author_id = rowId((author as { id: string }).id)
  const observed: Observation[] = [{ of: 'row', row, state }]
  if (typeof viewCount === 'number') {
    observed.push({ of: 'row', row: `article_stats:${id}`, state: { views: viewCount } })
  }
  if (row.startsWith('articles:') && Array.isArray(tags)) {
    const ids = (tags as { id: string }[]).map((tag) => rowId(tag.id))
    observed.push({ of: 'list', selection: { table: 'tags', articleId: id }, ids, complete: true })
  }
  return observed
}

const TABLES: Readonly<Record<string, 'articles' | 'users' | 'tags'>> = {
  Article: 'articles',
  User: 'users',
  Tag: 'tags',
}

const COLUMNS: Readonly<Record<string, string>> = {
  slug: 'slug',
  title: 'title',
  summary: 'summary',
  body: 'body',
  status: 'status',
  version: 'version',
  username: 'username',
  displayName: 'display_name',
  bio: 'bio',
  avatarUrl: 'avatar_url',
  role: 'role',
  name: 'name',
  description: 'description',
}
