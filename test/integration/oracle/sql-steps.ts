import type pg from 'pg'
import type { Dice } from './dice.ts'
import { HELD_ID } from './known-content.ts'

/** Makes a statement that goes round the API. None touches what the held transaction may have locked. */
export type Statement = (dice: Dice) => string

/** Any kind of statement, those with more weight more often. */
export function chooseStatement(dice: Dice): Statement {
  return dice.pick(STATEMENTS.flatMap(([weight, make]) => Array.from({ length: weight }, () => make)))
}

/** Takes locks that a held transaction may stand in the way of. */
export const isExclusive = (statement: string): boolean => statement.includes('truncate')

const free = `author_id <> ${HELD_ID}`
const freeArticle = `id in (select id from articles where ${free} and slug not like 'bulk-%' order by random() limit 1)`
const freeLink = `article_id in (select id from articles where ${free}) and tag_id <> ${HELD_ID}`
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
const day = (dice: Dice): string =>
  `timestamptz '2026-01-${String(1 + dice.below(28)).padStart(2, '0')} 12:00:00.${dice.below(1_000_000)}Z'`

const STATEMENTS: readonly (readonly [weight: number, make: Statement])[] = [
  [6, (dice) => `update articles set title = ${quoted(dice.words(2))} where ${freeArticle}`],
  [4, (dice) => `update articles set body = ${quoted(dice.words(6))} where ${freeArticle}`],
  [4, (dice) => `update articles set status = 'PUBLISHED', published_at = ${day(dice)} where ${freeArticle}`],
  [4, () => `update articles set status = 'DRAFT', published_at = null where ${freeArticle}`],
  [3, (dice) => `update articles set created_at = ${day(dice)} where ${freeArticle}`],
  [
    3,
    () =>
      `update articles set author_id = (select id from users where id <> ${HELD_ID} order by random() limit 1) where ${freeArticle}`,
  ],
  [3, (dice) => `update articles set slug = 'sql-' || id || '-${dice.below(3)}' where ${freeArticle}`],
  [2, () => `update articles set title = title where ${freeArticle}`],
  [3, () => `delete from articles where ${freeArticle}`],
  [
    4,
    (dice) => `insert into articles (slug, title, body, author_id, status, published_at)
      select 'sql-new-${dice.below(1e9)}', ${quoted(dice.words(2))}, ${quoted(dice.words(5))}, id, 'PUBLISHED', ${day(dice)}
        from users where id <> ${HELD_ID} order by random() limit 1`,
  ],
  [
    4,
    () => `insert into article_tags select a.id, t.id from articles a, tags t
      where ${free} and t.id <> ${HELD_ID} order by random() limit 3 on conflict do nothing`,
  ],
  [3, () => `delete from article_tags where ${freeLink} and random() < 0.05`],
  [
    2,
    () => `update article_tags set tag_id = (select id from tags where id <> ${HELD_ID} order by random() limit 1)
      where (article_id, tag_id) in (select article_id, tag_id from article_tags where ${freeLink}
        and (select count(*) from article_tags o where o.article_id = article_tags.article_id) = 1 limit 1)`,
  ],
  [
    9,
    (dice) => `update article_stats set views = views + ${1 + dice.below(9)}
      where article_id in (select id from articles where ${free} order by random() limit 2)`,
  ],
  [
    4,
    () => `update article_stats set ranked_views = views where article_id in (select id from articles where ${free})`,
  ],
  [
    1,
    () =>
      `delete from article_stats where article_id in (select id from articles where ${free} order by random() limit 1)`,
  ],
  [3, () => `insert into article_stats (article_id) select id from articles where ${free} on conflict do nothing`],
  [
    3,
    (dice) =>
      `update users set display_name = ${quoted(dice.words(2))} where id = (select id from users where id <> ${HELD_ID} order by random() limit 1)`,
  ],
  [
    2,
    (dice) =>
      `update users set username = 'sql' || id || 'x${dice.below(3)}' where id = (select id from users where id <> ${HELD_ID} order by random() limit 1)`,
  ],
  [
    2,
    (dice) =>
      `update tags set name = ${quoted(dice.words(2))} where id = (select id from tags where id <> ${HELD_ID} order by random() limit 1)`,
  ],
  [
    2,
    (dice) =>
      `update tags set slug = 'sql-' || id || '-${dice.below(3)}' where id = (select id from tags where id <> ${HELD_ID} order by random() limit 1)`,
  ],
  [
    1,
    () =>
      `update tags set id = 1000 + id where id <> ${HELD_ID} and id < 1000 and not exists (select from article_tags where tag_id = id)`,
  ],
  [1, () => `delete from tags where id = (select id from tags where id <> ${HELD_ID} order by random() limit 1)`],
  [1, () => `select stet.touch('articles', 'users:*')`],
  [1, () => `begin; update articles set title = 'undone' where ${free}; rollback`],
  [
    1,
    (dice) =>
      `begin; update articles set summary = ${quoted(dice.words(2))} where ${freeArticle}; update users set bio = ${quoted(dice.words(3))} where id <> ${HELD_ID}; commit`,
  ],
  // Above 1,000 rows the log names the table alone.
  [
    1,
    () => `insert into articles (slug, title, body, author_id, status, published_at, created_at)
      select 'bulk-' || n, 'Bulk ' || n, 'ink', (select max(id) from users where id <> ${HELD_ID}), 'PUBLISHED',
             timestamptz '2026-01-15Z' + n * interval '1 second', '2026-01-15Z' from generate_series(1, 1100) n
       where not exists (select from articles where slug like 'bulk-%')`,
  ],
  [1, () => `update articles set title = 'Bulky' || id where slug like 'bulk-%'`],
  [1, () => `update articles set status = 'DRAFT', published_at = null where slug like 'bulk-%'`],
  [2, () => `delete from articles where slug like 'bulk-%'`],
  [1, () => `update article_stats set views = views + 1 where article_id in (select id from articles where ${free})`],
  [1, () => 'truncate article_stats'],
  [1, () => 'truncate article_tags'],
]

/** A transaction that stays open over many steps, and writes only what it owns: one user, their articles, one tag. */
export class HeldTransaction {
  readonly #client: pg.Client
  readonly #dice: Dice
  #isOpen = false

  constructor(client: pg.Client, dice: Dice) {
    this.#client = client
    this.#dice = dice
  }

  /** Begins, goes on, or ends. Returns true where it committed. */
  async step(): Promise<boolean> {
    if (this.#isOpen && this.#dice.chance(25)) return this.end()
    if (!this.#isOpen) await this.#client.query('begin')
    this.#isOpen = true
    await this.#client.query(this.#dice.pick(HELD_STATEMENTS)(this.#dice))
    return false
  }

  /** Commits, mostly. */
  async end(): Promise<boolean> {
    if (!this.#isOpen) return false
    this.#isOpen = false
    const commits = this.#dice.chance(80)
    await this.#client.query(commits ? 'commit' : 'rollback')
    return commits
  }
}

const held = `author_id = ${HELD_ID}`
const HELD_STATEMENTS: readonly Statement[] = [
  (dice) => `update articles set title = ${quoted(dice.words(2))} where ${held}`,
  (dice) => `update articles set status = 'PUBLISHED', published_at = ${day(dice)} where ${held} and status = 'DRAFT'`,
  () => `update articles set status = 'DRAFT', published_at = null where ${held} and random() < 0.5`,
  (dice) =>
    `insert into articles (slug, title, body, author_id) values ('held-${dice.below(1e9)}', 'Held', 'ink', ${HELD_ID})`,
  () => `delete from articles where id = (select id from articles where ${held} order by random() limit 1)`,
  () => `insert into article_tags select id, ${HELD_ID} from articles where ${held} on conflict do nothing`,
  () => `delete from article_tags where tag_id = ${HELD_ID} and random() < 0.5`,
  (dice) => `update users set display_name = ${quoted(dice.words(2))} where id = ${HELD_ID}`,
  (dice) => `update tags set name = ${quoted(dice.words(2))} where id = ${HELD_ID}`,
  () => `update article_stats set views = views + 1 where article_id in (select id from articles where ${held})`,
]
