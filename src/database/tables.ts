import type { ColumnType, Generated, Selectable } from 'kysely'

/** The content's tables, as `migrations/` makes them, for Kysely. Ids and counters are bigints in PostgreSQL, and read as numbers (see `pool.ts`). */
export interface Tables {
  users: UsersTable
  tags: TagsTable
  articles: ArticlesTable
  article_tags: { article_id: number; tag_id: number }
  article_stats: { article_id: number; views: Generated<number>; ranked_views: Generated<number> }
  audit: AuditTable
}

export type UserRow = Selectable<UsersTable>
export type TagRow = Selectable<TagsTable>
export type ArticleRow = Selectable<ArticlesTable>
export type AuditRow = Selectable<AuditTable>

interface UsersTable {
  id: Generated<number>
  username: string
  display_name: string
  email: string
  bio: Generated<string>
  avatar_url: string | null
  role: Generated<'AUTHOR' | 'ADMIN'>
  created_at: Generated<Date>
}

interface TagsTable {
  id: Generated<number>
  slug: string
  name: string
  description: Generated<string>
}

interface AuditTable {
  at: Generated<Date>
  id: Generated<number>
  actor: string | null
  role: string
  action: string
  targets: Generated<string[]>
  target_count: Generated<number>
  address: string | null
  request_id: string | null
}

interface ArticlesTable {
  id: Generated<number>
  slug: string
  title: string
  summary: Generated<string>
  body: string
  status: Generated<'DRAFT' | 'PUBLISHED'>
  author_id: number
  published_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
  version: Generated<number>
  sorted_at: ColumnType<Date, never, never>
  search: ColumnType<string, never, never>
  body_words: ColumnType<string, never, never>
}
