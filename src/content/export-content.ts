import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { RowCounts } from './content-record.ts'

/**
 * Writes all content as JSON Lines that `importContent` reads back: users, then tags, then articles, each in the order of
 * their ids, all from one snapshot. Ends `destination`, unless it is stdout. Leaves out ids, versions and the log. An article whose author's
 * row is lost has the author null: an import reports it.
 *
 * HAZARD: the output holds the users' e-mail addresses.
 */
export async function exportContent(db: Kysely<Tables>, destination: Writable): Promise<RowCounts> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (transaction) => {
      const counts = { user: 0, tag: 0, article: 0 }
      await pipeline(Readable.from(linesOf(transaction, counts)), destination)
      return { users: counts.user, tags: counts.tag, articles: counts.article }
    })
}

/** Yields a line for each row, and counts it. Memory holds a page of rows. */
async function* linesOf(transaction: Transaction<Tables>, counts: Record<keyof typeof queries, number>) {
  for (const type of ['user', 'tag', 'article'] as const) {
    for (let rows = await pageAfter(transaction, type, 0); rows.length > 0; ) {
      for (const { id: _, ...fields } of rows) yield `${JSON.stringify({ type, ...fields })}\n`
      counts[type] += rows.length
      rows = await pageAfter(transaction, type, rows.at(-1)?.id ?? 0)
    }
  }
}

interface Row {
  readonly id: number
  readonly [field: string]: unknown
}

/** The next rows above an id, in the order of ids. */
async function pageAfter(transaction: Transaction<Tables>, type: keyof typeof queries, id: number): Promise<Row[]> {
  const page = sql<Row>`select * from (${queries[type]}) as content where id > ${id} order by id limit ${PAGE}`
  return (await page.execute(transaction)).rows
}

const PAGE = 200

/** A time column as ISO 8601 with microseconds, which a JavaScript date would lose. */
const iso = (column: string): RawBuilder<string | null> =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const queries = {
  user: sql`
    select id, username, display_name as "displayName", email, bio, avatar_url as "avatarUrl", role,
           ${iso('created_at')} as "createdAt"
      from users`,
  tag: sql`select id, slug, name, description from tags`,
  article: sql`
    select articles.id, slug, title, summary, status, users.username as author,
           array(
             select tags.slug from article_tags join tags on tags.id = tag_id where article_id = articles.id order by tags.slug
           ) as tags,
           ${iso('published_at')} as "publishedAt", ${iso('articles.created_at')} as "createdAt",
           ${iso('updated_at')} as "updatedAt", coalesce(views, 0) as views, body
      from articles
      left join users on users.id = author_id
      left join article_stats on article_stats.article_id = articles.id`,
}
