import { type Kysely, sql, type Transaction } from 'kysely'
import { type Act, operatorAct, recordWritten, type Tables } from '../database/index.ts'
import { slugify } from '../domain/slugify.ts'
import { Random, Zipf } from '../kernel/random.ts'
import type { RowCounts } from './content-record.ts'
import type { Progress } from './import-content.ts'
import { proseFrom } from './seed-prose.ts'

export interface SeedOptions {
  readonly articles: number
  /** Default: one for each 500 articles, at least 12. */
  readonly users?: number
  /** Default: one for each 200 articles, at least 25 and at most 1,000. */
  readonly tags?: number
  readonly onProgress?: (progress: Progress) => void
  /** Once it is aborted, no further batch is begun. */
  readonly signal?: AbortSignal
}

/**
 * Fills the database with made-up content, for load tests. The same numbers always make the same rows. A few articles and
 * tags are far more popular than the rest (Zipf's law); one article in twenty is a draft.
 *
 * Rows whose slug exists are left as they are, so a second run completes an interrupted one, or adds to a smaller one.
 *
 * @returns how many rows were created
 */
export async function seedContent(db: Kysely<Tables>, options: SeedOptions): Promise<RowCounts> {
  const { articles, onProgress, signal } = options
  const users = Math.max(1, options.users ?? Math.max(12, Math.floor(articles / 500)))
  const tags = options.tags ?? Math.min(1000, Math.max(25, Math.floor(articles / 200)))
  const write = audited(db, operatorAct('seed'))
  const created = await write(async (transaction) => ({
    users: await insertUsers(transaction, users),
    tags: await insertTags(transaction, tags),
  }))
  const make = articleMaker(users, tags)
  const ids = await takeIds(db, articles)
  let inserted = 0
  let begun = 0
  let done = 0
  const work = async () => {
    while (begun < articles && !signal?.aborted) {
      const from = begun
      begun = Math.min(from + BATCH, articles)
      const rows = ids.slice(from, begun).map((id, index) => ({ id, ...make(from + index) }))
      const count = await write((transaction) => insertArticles(transaction, rows))
      inserted += count
      done += rows.length
      onProgress?.({ done, total: articles })
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  return { ...created, articles: inserted }
}

/** Runs work in a transaction that leaves an audit record. */
const audited =
  (db: Kysely<Tables>, act: Act) =>
  <T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> =>
    db.transaction().execute(async (transaction) => {
      const result = await work(transaction)
      await recordWritten(transaction, act, 'rows')
      return result
    })

/** Above 1,000, so that the log names each table once instead of every row. */
const BATCH = 2000
/** Two, because PostgreSQL takes longer to extract an article's search words than this process takes to make the article up. */
const CONNECTIONS = 2

/** Returns a function that makes up an article from its number, and from how many users and tags there are. */
function articleMaker(users: number, tags: number) {
  const byPopularity = new Zipf(tags)
  return (number: number) => {
    const random = new Random(Math.imul(number + 1, 0x9e3779b1))
    const prose = proseFrom(random)
    const title = prose.title()
    const createdAt = new Date(FIRST_DAY + Math.floor(random.next() * (LAST_DAY - FIRST_DAY))).toISOString()
    const isDraft = random.below(20) === 0
    const chosen = new Set<number>()
    const tagCount = Math.min(1 + random.below(5), tags)
    while (chosen.size < tagCount) chosen.add(byPopularity.pick(random))
    return {
      slug: `${slugify(title, 180)}-${number + 1}`,
      title,
      summary: prose.summary(),
      body: prose.body(),
      author: authorNameOf(random.below(users)),
      tags: [...chosen].map(tagSlugOf),
      publishedAt: isDraft ? null : createdAt,
      createdAt,
      views: isDraft ? 0 : Math.min(5_000_000, Math.floor(20 / (1 - random.next()) ** 0.9) - 20),
    }
  }
}

type SeedArticle = ReturnType<ReturnType<typeof articleMaker>>

const FIRST_DAY = Date.UTC(2019, 0, 1)
const LAST_DAY = Date.UTC(2026, 9, 31)

function authorNameOf(index: number): string {
  return `seed-author-${index + 1}`
}

function tagSlugOf(index: number): string {
  return `seed-tag-${index + 1}`
}

/** Takes all ids before the work is shared out, so that they follow the articles' numbers whichever connection is faster. */
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
