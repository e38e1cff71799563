import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'

export interface ExportReport {
  readonly users: number
  readonly tags: number
  readonly articles: number
}

/**
 * Writes all content as JSON Lines that `importContent` reads back: users, then tags, then articles, each in the order of
 * their ids, all from one snapshot. Ends `destination`, unless it is stdout. Leaves out ids, versions and the log.
 *
 * HAZARD: the output holds the users' e-mail addresses.
 */
export async function exportContent(db: Kysely<Tables>, destination: Writable): Promise<ExportReport> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (transaction) => {
      const counts = { users: 0, tags: 0, articles: 0 }
      await pipeline(Readable.from(linesOf(transaction, counts)), destination)
      return counts
    })
}

async function* linesOf(transaction: Transaction<Tables>, counts: { -readonly [kind in keyof ExportReport]: number }) {
  for await (const user of rowsById((after) => usersAfter(transaction, after))) {
    counts.users++
    yield lineOf('user', user)
  }
  for await (const tag of rowsById((after) => tagsAfter(transaction, after))) {
    counts.tags++
    yield lineOf('tag', tag)
  }
  for await (const article of rowsById((after) => articlesAfter(transaction, after))) {
    counts.articles++
    yield lineOf('article', article)
  }
}

/** Yields every row, reading a page at a time. `pageAfter` reads the next rows above an id, in the order of ids. */
async function* rowsById<Row extends { id: number }>(pageAfter: (id: number) => Promise<Row[]>): AsyncGenerator<Row> {
  let page = await pageAfter(0)
  for (let last = page.at(-1); last; last = page.at(-1)) {
    yield* page
    page = await pageAfter(last.id)
  }
}

function lineOf(type: string, { id, ...fields }: { id: number }): string {
  return `${JSON.stringify({ type, ...fields })}\n`
}

const PAGE = 200

function usersAfter(transaction: Transaction<Tables>, id: number) {
  return transaction
    .selectFrom('users')
    .select(['id', 'username', 'display_name as displayName', 'email', 'bio', 'avatar_url as avatarUrl', 'role'])
    .select(iso('created_at').as('createdAt'))
    .where('id', '>', id)
    .orderBy('id')
    .limit(PAGE)
    .execute()
}

function tagsAfter(transaction: Transaction<Tables>, id: number) {
  return transaction
    .selectFrom('tags')
    .select(['id', 'slug', 'name', 'description'])
    .where('id', '>', id)
    .orderBy('id')
    .limit(PAGE)
    .execute()
}

function articlesAfter(transaction: Transaction<Tables>, id: number) {
  return transaction
    .selectFrom('articles')
    .innerJoin('users', 'users.id', 'articles.author_id')
    .leftJoin('article_stats', 'article_stats.article_id', 'articles.id')
    .select(['articles.id', 'slug', 'title', 'summary', 'status', 'users.username as author'])
    .select((read) =>
      sql<string[]>`array(${read
        .selectFrom('article_tags')
        .innerJoin('tags', 'tags.id', 'article_tags.tag_id')
        .select('tags.slug')
        .whereRef('article_tags.article_id', '=', 'articles.id')
        .orderBy('tags.slug')})`.as('tags'),
    )
    .select([
      iso('published_at').as('publishedAt'),
      iso('articles.created_at').as('createdAt'),
      iso('updated_at').as('updatedAt'),
    ])
    .select(['views', 'body'])
    .where('articles.id', '>', id)
    .orderBy('articles.id')
    .limit(PAGE)
    .execute()
}

/** A time column as ISO 8601 with microseconds, which a JavaScript date would lose. */
function iso(column: string) {
  return sql<string | null>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}
