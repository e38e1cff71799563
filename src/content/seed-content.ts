import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import { Random } from '../kernel/random.ts'
import type { Progress } from './import-content.ts'
import { articleMaker, authorNameOf, FIRST_DAY, type SeedArticle, tagSlugOf } from './seed-article.ts'
import { proseFrom } from './seed-prose.ts'

export interface SeedOptions {
  readonly articles: number
  /** Default: one for each 500 articles, at least 12. */
  readonly users?: number
  /** Default: one for each 200 articles, at least 25 and at most 1,000. */
  readonly tags?: number
  readonly onProgress?: (progress: Progress) => void
}

/** How many rows were not there before. */
export interface SeedReport {
  readonly users: number
  readonly tags: number
  readonly articles: number
}

/**
 * Fills the database with made-up content, for trying loads out: the same rows for the same numbers, every time. A few
 * articles and tags are read far more than the rest (Zipf's law); one article in twenty is a draft.
 *
 * Rows whose slug is there already are left alone, so a seed that was cut short goes on and a larger one adds to a smaller.
 */
export async function seedContent(db: Kysely<Tables>, options: SeedOptions): Promise<SeedReport> {
  const { articles, onProgress } = options
  const users = Math.max(1, options.users ?? Math.max(12, Math.floor(articles / 500)))
  const tags = options.tags ?? Math.min(1000, Math.max(25, Math.floor(articles / 200)))
  const created = await db.transaction().execute(async (transaction) => ({
    users: await insertUsers(transaction, users),
    tags: await insertTags(transaction, tags),
  }))
  const make = articleMaker(users, tags)
  const ids = await takeIds(db, articles)
  let inserted = 0
  let begun = 0
  let done = 0
  const work = async () => {
    while (begun < articles) {
      const from = begun
      begun = Math.min(from + BATCH, articles)
      const rows = ids.slice(from, begun).map((id, index) => ({ id, ...make(from + index) }))
      const count = await db.transaction().execute((transaction) => insertArticles(transaction, rows))
      inserted += count
      done += rows.length
      onProgress?.({ done, total: articles })
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  return { ...created, articles: inserted }
}

/** More than the 1,000 rows up to which the log names each: a batch costs it one tag a table. */
const BATCH = 2000
/** PostgreSQL works out an article's search words longer than we make the article up. */
const CONNECTIONS = 2

/** Ids are taken before the work is shared out, so that they follow the articles' numbers whoever is first. */
async function takeIds(db: Kysely<Tables>, count: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select nextval(pg_get_serial_sequence('articles', 'id')) as id from generate_series(1, ${count}::int)
  `.execute(db)
  return rows.map((row) => Number(row.id))
}

async function insertUsers(transaction: Transaction<Tables>, count: number): Promise<number> {
  const users = Array.from({ length: count }, (_, index) => {
    const random = new Random(0x5eed0000 + index)
    return { username: authorNameOf(index), display_name: personFrom(random), bio: proseFrom(random).summary() }
  })
  const { numAffectedRows } = await sql`
    insert into users (username, display_name, email, bio, created_at)
    select username, display_name, username || '@example.invalid', bio, ${new Date(FIRST_DAY).toISOString()}
      from jsonb_to_recordset(${JSON.stringify(users)}::jsonb) as given (username text, display_name text, bio text)
    on conflict (username) do nothing
  `.execute(transaction)
  return Number(numAffectedRows ?? 0)
}

async function insertTags(transaction: Transaction<Tables>, count: number): Promise<number> {
  const tags = Array.from({ length: count }, (_, index) => {
    const prose = proseFrom(new Random(0x7a600000 + index))
    return { slug: tagSlugOf(index), name: `${prose.title()} ${index + 1}`, description: prose.summary() }
  })
  const { numAffectedRows } = await sql`
    insert into tags (slug, name, description)
    select slug, name, description
      from jsonb_to_recordset(${JSON.stringify(tags)}::jsonb) as given (slug text, name text, description text)
    on conflict (slug) do nothing
  `.execute(transaction)
  return Number(numAffectedRows ?? 0)
}

async function insertArticles(
  transaction: Transaction<Tables>,
  rows: readonly (SeedArticle & { readonly id: number })[],
): Promise<number> {
  await sql`set local statement_timeout = 0`.execute(transaction)
  const inserted = await sql<{ id: number }>`
    insert into articles (id, slug, title, summary, body, status, author_id, published_at, created_at, updated_at)
    select given.id, slug, title, summary, body, case when "publishedAt" is null then 'DRAFT' else 'PUBLISHED' end,
           users.id, "publishedAt", "createdAt", "createdAt"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (
             id bigint, slug text, title text, summary text, body text, author text,
             "publishedAt" timestamptz, "createdAt" timestamptz
           )
      join users on users.username = author
     order by given.id
    on conflict (slug) do nothing
    returning id
  `.execute(transaction)
  const ids = new Set(inserted.rows.map((row) => Number(row.id)))
  const created = JSON.stringify(
    rows.filter(({ id }) => ids.has(id)).map(({ id, tags, views }) => ({ id, tags, views })),
  )
  await sql`
    insert into article_tags (article_id, tag_id)
    select given.id, tags.id
      from jsonb_to_recordset(${created}::jsonb) as given (id bigint, tags text[])
      join tags on tags.slug = any (given.tags)
  `.execute(transaction)
  await sql`
    update article_stats
       set views = given.views, ranked_views = given.views
      from jsonb_to_recordset(${created}::jsonb) as given (id bigint, views bigint)
     where article_id = given.id and given.views > 0
  `.execute(transaction)
  return ids.size
}

function personFrom(random: Random): string {
  const pick = (names: readonly string[]) => names[random.below(names.length)] ?? ''
  return `${pick(FIRST_NAMES)} ${pick(LAST_NAMES)}`
}

const FIRST_NAMES = 'Ada Bruno Chidi Dalia Emil Farah Goran Hana Ines Jonas Keiko Leila Mateo Nadia Oskar Priya'.split(
  ' ',
)
const LAST_NAMES = 'Abara Bergmann Castillo Dvorak Eriksen Fontaine Gupta Haddad Ibarra Jansen Kimura Lindqvist'.split(
  ' ',
)
