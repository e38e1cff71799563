import { randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { runStet } from '../api/run-stet.ts'
import { queryOnce } from '../harness/index.ts'
import { use, useDatabase, useNode, useRedis } from '../harness/use.ts'
import { Dice } from './oracle/dice.ts'
import { comparable, FIELDS, readPages, type Shown, type Table } from './values/read-pages.ts'
import { readOrder, readTruth, type Truth } from './values/sql-truth.ts'
import { type Written, writeExtremes } from './values/write-extremes.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
/** Rows of each table that have several extremes at once. */
const steps = Number(process.env.TEST_STEPS ?? 12)
const dice = new Dice(seed)
console.log(`TEST_SEED=${seed} TEST_STEPS=${steps} repeats this run.`)

const database = await useDatabase()
// What a server, a database or a role may be set to.
await queryOnce(
  database.url,
  `alter database ${database.name} set datestyle to 'German'; alter database ${database.name} set timezone to 'Europe/Berlin'`,
)
const redis = useRedis()
const first = await useNode({ database, redis })
/** Reads what the first has stored in Redis. */
const second = await useNode({ database, redis })

let written: Written
let truth: Truth

beforeAll(async () => {
  written = await writeExtremes(database.url, dice, steps)
  console.log(JSON.stringify(written))
  truth = await readTruth(database.url)
  await first.catchUp()
  await second.catchUp()
})

it('has extremes that the tables admit, and some that each check refuses', () => {
  expect(Object.keys(written.refused)).toEqual(
    expect.arrayContaining([
      ...[
        'users_id_range',
        'users_created_at_range',
        'tags_id_range',
        'articles_id_range',
        'articles_published_at_range',
      ],
      ...[
        'articles_created_at_range',
        'articles_updated_at_range',
        'article_stats_views_range',
        'article_stats_ranked_views_range',
      ],
      ...[
        'users_display_name_check',
        'users_bio_check',
        'tags_name_check',
        'articles_title_check',
        'articles_body_check',
      ],
    ]),
  )
  expect([...truth.articles.values()]).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ createdAt: '0001-01-01T00:00:00.000Z' }),
      expect.objectContaining({ publishedAt: '9999-12-31T23:59:59.999Z' }),
      expect.objectContaining({ viewCount: 2147483647 }),
      expect.objectContaining({ version: -2147483648 }),
    ]),
  )
  expect(truth.articles.size).toBeGreaterThan(80)
})

const JOINED = 'select a.id::text from articles a join article_stats s on s.article_id = a.id'
const ORDERS = {
  NEWEST: 'a.sorted_at desc, a.id desc',
  OLDEST: 'a.sorted_at, a.id',
  TITLE: 'lower(a.title) collate "C", a.id',
  MOST_VIEWED: 's.ranked_views desc, a.id desc',
} as const

describe.each([
  ['the node that has read the tables', first],
  ['the node that reads Redis', second],
])('Of %s', (_which, node) => {
  it.each(Object.keys(ORDERS) as (keyof typeof ORDERS)[])(
    'articles in the order %s are each there once, as SQL has them',
    async (order) => {
      const query = `${JOINED} order by ${ORDERS[order]}`
      await expectList('articles', `orderBy: ${order}`, await readOrder(database.url, 'Article', query))
    },
  )

  it('users and tags are each there once, as SQL has them', async () => {
    await expectList('users', '', await readOrder(database.url, 'User', 'select id::text from users order by username'))
    const tags = await readOrder(
      database.url,
      'Tag',
      'select id::text from tags order by lower(name) collate "C", tags.id',
    )
    await expectList('tags', '', tags)
  })

  it('lists by any filter hold what SQL finds', async () => {
    const filters: [string, string, unknown[]][] = [
      ['status: DRAFT', `a.status = 'DRAFT'`, []],
      ['search: "café"', `a.search @@ websearch_to_tsquery('english', $1)`, ['café']],
      ...[...truth.tags.values()]
        .slice(-3)
        .map(({ slug }): [string, string, unknown[]] => [
          `tag: ${JSON.stringify(slug)}`,
          'a.id in (select article_id from article_tags join tags on tags.id = tag_id where tags.slug = $1)',
          [slug],
        ]),
      ...[...truth.users.values()]
        .slice(0, 5)
        .map(({ username }): [string, string, unknown[]] => [
          `author: ${JSON.stringify(username)}`,
          'a.author_id = (select id from users where username = $1)',
          [username],
        ]),
      ...SAYABLE.flatMap((at): [string, string, unknown[]][] => [
        [`publishedAfter: "${at}"`, 'a.published_at >= $1', [at]],
        [`publishedBefore: "${at}"`, 'a.published_at < $1', [at]],
      ]),
    ]
    // What Redis holds is the same for all of them.
    const chosen = node === first ? filters : filters.filter((_, n) => n % 3 === 0)
    for (const [filter, where, values] of chosen) {
      const query = `${JOINED} where ${where} order by ${ORDERS.NEWEST}`
      await expectList('articles', `filter: { ${filter} }`, await readOrder(database.url, 'Article', query, values))
    }
  })

  it('lists within users and tags hold their articles, and the counts are right', async () => {
    const authors = `select distinct author_id::text as id from articles`
    for (const id of await readOrder(database.url, 'User', authors)) {
      const own = [...truth.articles.values()]
        .filter(({ author }) => (author as { id: string }).id === id)
        .map((it) => it.id)
      const data = await node.admin.get<{ node: Nested }>(
        'query ($id: ID!) { node(id: $id) { ... on User { articles(first: 100) { totalCount nodes { id } } } } }',
        { id },
      )
      expect([id, data.node.articles.totalCount]).toEqual([id, own.length])
      if (own.length <= 100) expect(data.node.articles.nodes.map((it) => it.id).sort()).toEqual(own.sort())
    }
    for (const id of [...truth.tags.keys()].slice(-20)) {
      const own = [...truth.articles.values()].filter(({ tags }) =>
        (tags as { id: string }[]).some((tag) => tag.id === id),
      )
      const data = await node.admin.get<{ node: Nested }>(
        'query ($id: ID!) { node(id: $id) { ... on Tag { articleCount articles(first: 100) { totalCount } } } }',
        { id },
      )
      const published = own.filter(({ status }) => status === 'PUBLISHED')
      expect([id, data.node.articles.totalCount, data.node.articleCount]).toEqual([id, own.length, published.length])
    }
  })

  it('every row is found by its id, alone and among others, and by its name', async () => {
    for (const table of Object.keys(FIELDS) as Table[]) {
      const type = { users: 'User', tags: 'Tag', articles: 'Article' }[table]
      const name = table === 'users' ? 'username' : 'slug'
      const one = { users: 'user', tags: 'tag', articles: 'article' }[table]
      for (const rows of chunks([...truth[table].values()], 20)) {
        const { nodes } = await node.admin.get<{ nodes: Shown[] }>(
          `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ${type} { ${FIELDS[table]} } } }`,
          { ids: rows.map(({ id }) => id) },
        )
        expect(nodes.map(comparable)).toEqual(rows)
        const each = rows.map(
          (row, n) =>
            `n${n}: ${one}(${name}: ${JSON.stringify(row[name])}) { ${FIELDS[table]} } i${n}: ${one}(id: "${row.id}") { id }`,
        )
        const found = await node.admin.get<Record<string, Shown>>(`{ ${each.join(' ')} }`)
        rows.forEach((row, n) => {
          expect([comparable(found[`n${n}`]), found[`i${n}`]]).toEqual([row, { id: row.id }])
        })
      }
    }
  })

  it('every body is answered as it is, and rendered', async () => {
    for (const { id, slug } of truth.articles.values()) {
      const { article } = await node.admin.get<{ article: { body: string; bodyHtml: string } }>(
        'query ($slug: String) { article(slug: $slug) { body bodyHtml } }',
        { slug },
      )
      const [row] = await queryOnce(database.url, 'select body from articles where slug = $1', [slug])
      expect([id, article.body === row?.body, typeof article.bodyHtml]).toEqual([id, true, 'string'])
    }
  })

  it('what is published is there once for a visitor, too', async () => {
    const query = `${JOINED} where a.status = 'PUBLISHED' order by ${ORDERS.NEWEST}`
    await expectList('articles', '', await readOrder(database.url, 'Article', query), node.visitor)
  })

  /** Reads the list page by page, forward and back, in pages of any size, and compares each row and the count. */
  async function expectList(
    table: Table,
    args: string,
    expected: readonly string[],
    client = node.admin,
  ): Promise<void> {
    for (const backward of [false, true]) {
      const { shown, totalCount } = await readPages(client, dice, table, args, backward)
      expect({ table, args, backward, totalCount, ids: shown.map(({ id }) => id) }).toEqual({
        ...{ table, args, backward },
        totalCount: expected.length,
        ids: expected,
      })
      for (const row of shown) {
        expect(comparable(row)).toEqual(truth[table].get(row.id))
      }
    }
  }
})

it('comes back byte by byte from what was exported: every extreme, twice', async () => {
  const home = use(await mkdtemp(path.join(tmpdir(), 'stet-values-')), (it) => rm(it, { recursive: true }))
  const fresh = await useDatabase()
  const [from, to] = [path.join(home, 'from.jsonl'), path.join(home, 'to.jsonl')]
  expect(await runStet(['export', from], { DATABASE_URL: database.url })).toMatchObject({ code: 0 })
  expect(await runStet(['import', from], { DATABASE_URL: fresh.url })).toMatchObject({ code: 0 })
  expect(await runStet(['export', to], { DATABASE_URL: fresh.url })).toMatchObject({ code: 0 })
  expectSameLines(await readFile(to, 'utf8'), await readFile(from, 'utf8'))
  // Over what is there already, nothing changes.
  const again = await runStet(['import', from, '--json'], { DATABASE_URL: database.url })
  expect(again.code).toBe(0)
  expect(await runStet(['export', to], { DATABASE_URL: database.url })).toMatchObject({ code: 0 })
  expectSameLines(await readFile(to, 'utf8'), await readFile(from, 'utf8'))
})

interface Nested {
  readonly articleCount?: number
  readonly articles: { readonly totalCount: number; readonly nodes: readonly Shown[] }
}

/** Instants that a `DateTime` can say, to the microsecond. */
const SAYABLE = [
  '0001-01-01T00:00:00Z',
  '0001-01-01T00:00:00.001Z',
  '0099-02-03T04:05:06.789Z',
  '1970-01-01T00:00:00Z',
  '2024-01-31T13:00:00+01:00',
  '9999-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00.000001Z',
  '0099-02-03T04:05:06.789012Z',
  '1969-12-31T23:59:59.999999Z',
  '2024-02-29T23:59:59.9995+05:45',
  '9999-12-31T23:59:59.999999Z',
]

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size)
}

/** Names the first lines that differ, cut short: some have half a million characters. */
function expectSameLines(found: string, expected: string): void {
  if (found === expected) return
  const lines = found.split('\n')
  const differing = expected
    .split('\n')
    .flatMap((line, n) => (line === lines[n] ? [] : [`- ${line.slice(0, 500)}\n+ ${lines[n]?.slice(0, 500)}`]))
  expect(differing.slice(0, 5).join('\n')).toBe('')
}
