import pg from 'pg'
import type { Dice } from '../oracle/dice.ts'
import { EXTREMES, type Row, rowsOf } from './extremes.ts'

export interface Written {
  readonly admitted: number
  /** How often each constraint, or each other error by its code, has refused a row. */
  readonly refused: Readonly<Record<string, number>>
}

/** Writes every extreme of every column by SQL, one row at a time, and goes on after each that is refused. */
export async function writeExtremes(url: string, dice: Dice, more: number): Promise<Written> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let admitted = 0
  const refused: Record<string, number> = {}
  const tryOut = async (text: string, values: readonly unknown[]): Promise<void> => {
    try {
      admitted += (await client.query(text, [...values])).rowCount ?? 0
    } catch (error) {
      const { code = '', constraint = code } = error as { readonly code?: string; readonly constraint?: string }
      if (!/^2[23]...$/.test(code)) throw error
      refused[constraint] = (refused[constraint] ?? 0) + 1
    }
  }
  const insert = (table: string, row: Row) => {
    const columns = Object.keys(row)
    const places = columns.map((_column, index) => `$${index + 1}`)
    return tryOut(`insert into ${table} (${columns.join(', ')}) values (${places.join(', ')})`, Object.values(row))
  }
  const idsOf = async (table: string): Promise<string[]> => {
    const { rows } = await client.query<{ id: string }>(`select id::text from ${table} order by tableoid, id`)
    return rows.map(({ id }) => id)
  }
  try {
    for (const row of rowsOf('users', dice, more)) await insert('users', row)
    for (const row of rowsOf('tags', dice, more)) await insert('tags', row)
    const users = await idsOf('users')
    for (const row of rowsOf('articles', dice, more)) {
      const status = row.published_at === null ? 'DRAFT' : 'PUBLISHED'
      await insert('articles', { ...row, status, author_id: dice.pick(users) })
    }
    // Pages end among them.
    for (const at of ['0001-01-01T00:00:00.000001Z', '1969-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z']) {
      const same = Array.from({ length: 100 }, (_, n) => `same-${at.slice(0, 4)}-${n}`)
      await tryOut(
        `insert into articles (slug, title, body, status, published_at, author_id)
         select slug, 'Same', 'Same', 'PUBLISHED', $2, $3 from unnest($1::text[]) as slug`,
        [same, at, dice.pick(users)],
      )
    }
    const articles = await idsOf('articles')
    const tags = await idsOf('tags')
    // An article with every tag, and a tag with every article.
    const pairs = [
      ...tags.map((tag) => [articles.at(-1), tag]),
      ...articles.map((article) => [article, tags.at(-1)]),
      ...articles.map((article) => [article, dice.pick(tags)]),
    ]
    for (const pair of pairs) await tryOut('insert into article_tags values ($1, $2) on conflict do nothing', pair)
    // Every article has counters, whatever becomes of them.
    await client.query('delete from article_stats where article_id = any($1)', [dice.some(articles, 10)])
    for (const [column, values] of Object.entries(EXTREMES.article_stats)) {
      for (const value of values) {
        await tryOut(`update article_stats set ${column} = $1 where article_id = $2`, [value, dice.pick(articles)])
      }
    }
  } finally {
    await client.end()
  }
  return { admitted, refused }
}
