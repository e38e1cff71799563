import { expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await node.catchUp()

it('finds one object by its id or by its name', async () => {
  const data = await node.visitor.get(`{
    a: article(id: "${ids.published}") { slug } b: article(slug: "published") { id }
    c: user(id: "${ids.ann}") { username }      d: user(username: "ann") { id }
    e: tag(id: "${ids.cats}") { slug }          f: tag(slug: "cats") { id }
  }`)
  expect(data).toEqual({
    a: { slug: 'published' },
    b: { id: ids.published },
    c: { username: 'ann' },
    d: { id: ids.ann },
    e: { slug: 'cats' },
    f: { id: ids.cats },
  })
})

it('answers null for what is absent', async () => {
  const data = await node.visitor.get(`{
    a: article(id: "${toGlobalId('Article', 99)}") { id } b: article(slug: "none") { id }
    c: user(id: "${toGlobalId('User', Number.MAX_SAFE_INTEGER)}") { id } d: user(username: "Ann") { id }
    e: tag(id: "${toGlobalId('Tag', 99)}") { id } f: tag(slug: "") { id }
    g: node(id: "${toGlobalId('Tag', 99)}") { id }
    viewer { id }
  }`)
  expect(new Set(Object.values(data))).toEqual(new Set([null]))
})

it.each([
  'article { id }',
  `article(id: "${ids.published}", slug: "published") { id }`,
  'user { id }',
  `user(id: "${ids.ann}", username: "ann") { id }`,
  'tag { id }',
  `tag(id: "${ids.cats}", slug: "cats") { id }`,
])('wants exactly one look-up argument: %s', async (field) => {
  const { errors, data } = await node.visitor.send(`{ ${field} }`)
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  expect(Object.values(data)).toEqual([null])
})

const base64 = (text: string) => Buffer.from(text).toString('base64url')

it.each([
  ['is empty', ''],
  ['is garbage', 'garbage'],
  ['is a row id', '1'],
  ['belongs to another type', ids.ann],
  ['has no number', base64('Article:')],
  ['has a number below 1', base64('Article:0')],
  ['has a negative number', base64('Article:-1')],
  ['has a number beyond bigint', base64(`Article:${'9'.repeat(30)}`)],
  ['has a number with leading zeros', base64('Article:01')],
  ['is written otherwise', `${ids.published}=`],
  ['has more behind it', `${ids.published}!`],
  ['is very long', 'x'.repeat(100_000)],
  ['holds U+0000', 'a\0b'],
])('refuses an id that %s', async (_what, id) => {
  const { errors } = await node.visitor.send('query ($id: ID!) { article(id: $id) { id } }', { id })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'id' } }])
  expect(JSON.stringify(errors).length).toBeLessThan(1000)
})

it('fetches anything again by its id, with the type it belongs to', async () => {
  const { nodes } = await node.visitor.get(
    `query ($ids: [ID!]!) {
      nodes(ids: $ids) { __typename id ... on Article { title } ... on User { displayName } ... on Tag { name } }
    }`,
    { ids: [ids.cats, ids.published, toGlobalId('User', 99), ids.ann, ids.cats] },
  )
  expect(nodes).toEqual([
    { __typename: 'Tag', id: ids.cats, name: 'Cats' },
    { __typename: 'Article', id: ids.published, title: 'Published' },
    null,
    { __typename: 'User', id: ids.ann, displayName: 'Ann' },
    { __typename: 'Tag', id: ids.cats, name: 'Cats' },
  ])
})

it('answers the other nodes where one id is not an id', async () => {
  const { data, errors } = await node.visitor.send('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: [ids.cats, 'garbage', base64('toString:1')],
  })
  expect(data).toEqual({ nodes: [{ id: ids.cats }, null, null] })
  expect(errors).toMatchObject([
    { path: ['nodes', 1], extensions: { code: 'BAD_USER_INPUT', field: 'ids' } },
    { path: ['nodes', 2], extensions: { code: 'BAD_USER_INPUT', field: 'ids' } },
  ])
})

it('gives at most 100 nodes', async () => {
  const { errors } = await node.visitor.send('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: Array.from({ length: 101 }, () => ids.cats),
  })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'ids' } }])
})

it.each([
  ['article(slug: $text) { id }', 'slug'],
  ['user(username: $text) { id }', 'username'],
  ['tag(slug: $text) { id }', 'slug'],
  ['articles(filter: { tag: $text }) { totalCount }', 'filter.tag'],
  ['articles(filter: { author: $text }) { totalCount }', 'filter.author'],
  ['articles(filter: { search: $text }) { totalCount }', 'filter.search'],
])('refuses what no text of the database could be in %s', async (field, name) => {
  for (const text of ['nul \0', 'half a \ud800 pair', 'x'.repeat(1000)]) {
    const { errors } = await node.visitor.send(`query ($text: String!) { ${field} }`, { text })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: name } }])
  }
})

it('filters by tag, author, status, words and dates, all of which must hold', async () => {
  const found = async (filter: string) => {
    const { articles } = await node.admin.get<{ articles: { totalCount: number; nodes: { slug: string }[] } }>(
      `{ articles(orderBy: TITLE, filter: ${filter}) { totalCount nodes { slug } } }`,
    )
    expect(articles.totalCount).toBe(articles.nodes.length)
    return articles.nodes.map(({ slug }) => slug)
  }
  const [annsDraft, bobsDraft, published, bobsPublished] = ['anns-draft', 'bobs-draft', 'published', 'bobs-published']
  expect(await found('{}')).toEqual([annsDraft, bobsDraft, published, bobsPublished])
  expect(await found('{ tag: null, author: null, status: null, search: null }')).toHaveLength(4)
  expect(await found('{ tag: "cats" }')).toHaveLength(4)
  expect(await found('{ tag: "dogs" }')).toEqual([])
  expect(await found('{ tag: "no-such-tag" }')).toEqual([])
  expect(await found('{ author: "ann" }')).toEqual([annsDraft, published])
  expect(await found('{ author: "nobody" }')).toEqual([])
  expect(await found('{ author: "ann", tag: "no-such-tag" }')).toEqual([])
  expect(await found('{ status: DRAFT }')).toEqual([annsDraft, bobsDraft])
  expect(await found('{ status: PUBLISHED, author: "bob" }')).toEqual([bobsPublished])
  expect(await found('{ search: "foxes draft" }')).toEqual([annsDraft, bobsDraft])
  expect(await found('{ search: "published -bob" }')).toEqual([published])
  expect(await found('{ publishedAfter: "2026-01-02T00:00:00Z" }')).toEqual([bobsPublished])
  expect(await found('{ publishedBefore: "2026-01-02T00:00:00Z" }')).toEqual([published])
  expect(
    await found('{ publishedAfter: "2026-01-02T01:00:00+01:00", publishedBefore: "2026-01-02T00:00:01Z" }'),
  ).toEqual([bobsPublished])
})

it.each([
  '"',
  '""',
  '!',
  '&|',
  "'",
  ':*',
  '\\',
  'the',
  '- -',
  '<->',
  '   ',
  '日本',
  '((',
  'a:b:c',
  '%',
  '-',
  `a or b c ${'- '.repeat(25)}d`,
])('searches for anything, be it %j', async (search) => {
  const { articles } = await node.visitor.get<{ articles: { totalCount: number } }>(
    'query ($search: String) { articles(filter: { search: $search }) { totalCount } }',
    { search },
  )
  expect(articles.totalCount).toBeGreaterThanOrEqual(0)
})

it.each(['-'.repeat(26), '- '.repeat(250), '-!("'.repeat(40), `a ${'-'.repeat(400)}b`])(
  'refuses to search for %j, which PostgreSQL has no room to parse',
  async (search) => {
    const { errors } = await node.visitor.send(
      'query ($text: String) { articles(filter: { search: $text }) { totalCount } }',
      {
        text: search,
      },
    )
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'filter.search' } }])
  },
)

it.each([
  'yesterday',
  '2026-01-02',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-10:00',
  '',
])('refuses %j as a date', async (date) => {
  const { errors } = await node.visitor.send(
    'query ($date: DateTime) { articles(filter: { publishedAfter: $date }) { totalCount } }',
    { date },
  )
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})
