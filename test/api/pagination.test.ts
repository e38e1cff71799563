import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseGlobalId, toGlobalId } from '../../src/identity/global-id.ts'
import { emptyContent, queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'

/** Every list, and its order as SQL. Admins see all of it. */
const LISTS = {
  NEWEST: ['articles(orderBy: NEWEST, …)', 'articles a order by coalesce(published_at, created_at) desc, id desc'],
  OLDEST: ['articles(orderBy: OLDEST, …)', 'articles a order by coalesce(published_at, created_at), id'],
  TITLE: ['articles(orderBy: TITLE, …)', 'articles a order by lower(title) collate "C", id'],
  MOST_VIEWED: [
    'articles(orderBy: MOST_VIEWED, …)',
    'articles a join article_stats on article_id = id order by ranked_views desc, id desc',
  ],
  DRAFTS: [
    'articles(filter: { status: DRAFT }, …)',
    `articles a where status = 'DRAFT' order by coalesce(published_at, created_at) desc, id desc`,
  ],
  USERS: ['users(…)', 'users a order by username collate "C"'],
  TAGS: ['tags(…)', 'tags a order by lower(name) collate "C", id'],
} as const

type ListName = keyof typeof LISTS
const names = Object.keys(LISTS) as ListName[]

const database = await useDatabase()
const node = await useNode({ database })

/** Few values, so that there are many ties; some a microsecond apart. */
const row = fc.record({
  title: fc.constantFrom('a', 'A', 'ä', 'Ab', 'a b', '"', 'z', '日本', '\u{1f98a}'),
  microseconds: fc.constantFrom(0, 1, 2, 999, 1000, 1001, -62_135_596_800_000_000),
  views: fc.constantFrom(0, 1, 10, 9, 5_000_000),
  published: fc.boolean(),
})
type Row = typeof row extends fc.Arbitrary<infer R> ? R : never

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

it(`walks every list forward and backward as SQL orders it (TEST_SEED=${seed})`, async () => {
  const property = fc.asyncProperty(
    fc.array(row, { maxLength: 12 }),
    fc.integer({ min: 1, max: 14 }),
    async (rows, size) => {
      await replaceContent(rows)
      for (const name of names) {
        const expected = await inSqlOrder(name)
        const forward = await walk(name, `first: ${size}`, 'after')
        expect([name, ...forward.ids]).toEqual([name, ...expected])
        const backward = await walk(name, `last: ${size}`, 'before')
        expect([name, ...backward.ids]).toEqual([name, ...expected])
        expect([forward.totalCount, backward.totalCount]).toEqual([expected.length, expected.length])
      }
    },
  )
  await fc.assert(property, { seed, numRuns: 12 })
})

it(`misses and repeats nothing while rows come and go elsewhere (TEST_SEED=${seed})`, async () => {
  const property = fc.asyncProperty(
    fc.array(row, { minLength: 4, maxLength: 10 }),
    fc.array(row, { minLength: 10, maxLength: 10 }),
    fc.constantFrom(...names),
    fc.constantFrom(['first: 2', 'after'] as const, ['last: 2', 'before'] as const),
    async (rows, more, name, [size, direction]) => {
      await replaceContent(rows)
      const before = await inSqlOrder(name)
      let added = 0
      let gone: string | undefined
      const { ids } = await walk(name, size, direction, async (seen) => {
        await addRows(more.slice(added, ++added))
        // The very row whose cursor goes on is deleted: its place remains.
        const last = direction === 'after' ? seen.at(-1) : seen.at(0)
        if (gone === undefined && last !== undefined && before.includes(last)) {
          gone = last
          await remove(name, last)
        }
      })
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.filter((id) => before.includes(id))).toEqual(before)
    },
  )
  await fc.assert(property, { seed, numRuns: 15 })
})

it('gives what lies between two cursors, from either end', async () => {
  await replaceContent(Array.from({ length: 6 }, () => ({ title: 'a', microseconds: 0, views: 0, published: true })))
  const all = await page('articles(orderBy: OLDEST, first: 10)')
  const [first, , , , , last] = all.edges
  const between = `after: "${first?.cursor}", before: "${last?.cursor}"`
  const start = await page(`articles(orderBy: OLDEST, first: 3, ${between})`)
  expect(start.nodes).toEqual(all.nodes.slice(1, 4))
  expect(start.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  const end = await page(`articles(orderBy: OLDEST, last: 3, ${between})`)
  expect(end.nodes).toEqual(all.nodes.slice(2, 5))
  expect(end.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  const nothing = await page(
    `articles(orderBy: OLDEST, first: 3, after: "${last?.cursor}", before: "${first?.cursor}")`,
  )
  expect(nothing).toMatchObject({ edges: [], pageInfo: { hasNextPage: false, startCursor: null, endCursor: null } })
  expect(nothing.totalCount).toBe(6)
})

it('begins and ends its page info with the cursors of its edges', async () => {
  const { edges, pageInfo } = await page('articles(orderBy: OLDEST, first: 2)')
  expect(pageInfo).toEqual({
    hasNextPage: true,
    hasPreviousPage: false,
    startCursor: edges.at(0)?.cursor,
    endCursor: edges.at(1)?.cursor,
  })
})

it.each([
  ['first: 0', 'first'],
  ['first: -1', 'first'],
  ['first: -2147483648', 'first'],
  ['first: 101', 'first'],
  ['last: 0', 'last'],
  ['last: 101', 'last'],
  ['first: 2147483647', 'first'],
  ['first: 1, last: 1', 'first'],
])('refuses %s', async (args, field) => {
  for (const list of [`articles(${args})`, `users(${args})`, `tags(${args})`]) {
    const { errors } = await node.visitor.send(`{ ${list} { nodes { id } } }`)
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }])
  }
})

it('gives 20 where it is not told how many', async () => {
  await replaceContent(Array.from({ length: 21 }, () => ({ title: 'a', microseconds: 0, views: 0, published: true })))
  expect((await page('articles')).nodes).toHaveLength(20)
  expect((await page('articles(first: null, last: null, orderBy: null, filter: null)')).nodes).toHaveLength(20)
})

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

it.each([
  ['garbage', 'garbage'],
  ['nothing', ''],
  ['JSON that is no cursor', encode({ key: 1 })],
  ['no id', encode(['NEWEST', '1'])],
  ['an id that is no number', encode(['NEWEST', '1', '1; drop table articles'])],
  ['an id beyond all numbers', encode(['NEWEST', '1', 1e300])],
  ['an instant that is none', encode(['NEWEST', 'x', 1])],
  ['an instant before all time', encode(['NEWEST', `-${'9'.repeat(18)}`, 1])],
  ['an instant beyond bigint', encode(['NEWEST', '9'.repeat(30), 1])],
  ['another order', encode(['OLDEST', '1', 1])],
  ['another list', encode(['USERNAME', 'ann', 1])],
  ['no end', 'x'.repeat(100_000)],
])('refuses a cursor of %s', async (_what, cursor) => {
  for (const field of ['after', 'before'] as const) {
    const { errors } = await node.visitor.send(
      `query ($cursor: String) { articles(${field}: $cursor) { nodes { id } } }`,
      { cursor },
    )
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }])
    expect(JSON.stringify(errors).length).toBeLessThan(1000)
  }
})

it('refuses a cursor that holds what no title could', async () => {
  for (const key of ['\0', '\ud800', 'x'.repeat(5000)]) {
    const { errors } = await node.visitor.send(
      'query ($cursor: String) { articles(orderBy: TITLE, after: $cursor) { nodes { id } } }',
      { cursor: encode(['TITLE', key, 1]) },
    )
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'after' } }])
  }
})

interface Page {
  readonly totalCount: number
  readonly nodes: { readonly id: string }[]
  readonly edges: { readonly cursor: string; readonly node: { readonly id: string } }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

async function page(field: string): Promise<Page> {
  const { page } = await node.admin.get<{ page: Page }>(
    `{ page: ${field} { totalCount nodes { id } edges { cursor node { id } }
       pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
  )
  return page
}

/** All ids of a list in its order, page by page. `meanwhile` runs between pages, with the page just read. */
async function walk(
  name: ListName,
  size: string,
  direction: 'after' | 'before',
  meanwhile: (page: readonly string[]) => Promise<void> = async () => {},
): Promise<{ ids: string[]; totalCount: number }> {
  const ids: string[] = []
  for (let cursor: string | null = null, pages = 0; pages < 100; pages++) {
    const args: string = cursor === null ? size : `${size}, ${direction}: ${JSON.stringify(cursor)}`
    const { edges, nodes, pageInfo, totalCount } = await page(LISTS[name][0].replace('…', args))
    expect(nodes).toEqual(edges.map(({ node }) => node))
    const here = nodes.map(({ id }) => id)
    if (direction === 'after') ids.push(...here)
    else ids.unshift(...here)
    const more = direction === 'after' ? pageInfo.hasNextPage : pageInfo.hasPreviousPage
    if (!more) return { ids, totalCount }
    cursor = direction === 'after' ? pageInfo.endCursor : pageInfo.startCursor
    await meanwhile(here)
  }
  throw new Error('The walk did not end.')
}

const typeOf = (name: ListName) => (name === 'USERS' ? 'User' : name === 'TAGS' ? 'Tag' : 'Article')

async function inSqlOrder(name: ListName): Promise<string[]> {
  const rows = await sql(`select a.id from ${LISTS[name][1]}`)
  return rows.map(({ id }) => toGlobalId(typeOf(name), Number(id)))
}

async function remove(name: ListName, globalId: string): Promise<void> {
  const id = parseGlobalId(globalId)?.id
  if (name === 'USERS') await sql(`delete from articles where author_id = ${id}`)
  await sql(`delete from ${typeOf(name).toLowerCase()}s where id = ${id}`)
  await node.catchUp()
}

async function replaceContent(rows: readonly Row[]): Promise<void> {
  await emptyContent(database.url)
  await addRows(rows)
}

/** A user, a tag and an article for each row. */
async function addRows(rows: readonly Row[]): Promise<void> {
  const values = JSON.stringify(rows.map((row, index) => ({ ...row, index })))
  await queryOnce(
    database.url,
    `with rows as (
       select *, timestamptz '2026-01-01' + microseconds * interval '1 microsecond' as instant
         from jsonb_to_recordset($1::jsonb) as r(title text, microseconds bigint, views bigint, published boolean, index int)
     ), authors as (
       insert into users (username, display_name, email)
         select name, 'User', name || '@example.com'
           from (select 'u' || translate(left(md5(random()::text || index), 30), '0123', '_-zz') as name from rows) names
         returning id
     ), topics as (
       insert into tags (slug, name) select md5(random()::text || index), title from rows
     ), texts as (
       insert into articles (slug, title, body, author_id, status, created_at, published_at)
         select md5(random()::text || index), title, '', (select min(id) from authors),
                case when published then 'PUBLISHED' else 'DRAFT' end, instant, case when published then instant end
           from rows
     ) select`,
    [values],
  )
  await sql(
    `update article_stats stats set views = given.views, ranked_views = given.views
       from (select id, (array[0, 1, 10, 9, 5000000])[1 + id % 5] as views from articles) given
      where article_id = id and stats.views = 0`,
  )
  await node.catchUp()
}

const sql = (text: string) => queryOnce(database.url, text)
