import { beforeEach, expect, it } from '@jest/globals'
import { getIntrospectionQuery } from 'graphql'
import { pino } from 'pino'
import { readConfig } from '../../src/app/config.ts'
import { startNode } from '../../src/app/start-node.ts'
import {
  GraphQLClient,
  queryOnce,
  sharedServers,
  startFaultProxy,
  startTestNode,
  TEST_JWT_SECRET,
  testToken,
} from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** What the node logged. */
let logged: { readonly level: number; readonly requestId?: string; readonly err?: { readonly message: string } }[] = []

const database = await useDatabase()
const environment = {
  PORT: '0',
  DATABASE_URL: database.url,
  AUTH_JWT_SECRET: TEST_JWT_SECRET,
  INTROSPECTION: 'on',
  // No job meets a table that a test has taken away.
  RANK_ARTICLES_EVERY: '86400',
}
const logger = pino({}, { write: (line: string) => logged.push(JSON.parse(line)) })
const node = use(await startNode({ config: readConfig(environment), logger }), (it) => it.close())
await addContent(database.url)
const visitor = new GraphQLClient(node.url)
const author = new GraphQLClient(node.url, await testToken('author', ANN))
const admin = new GraphQLClient(node.url, await testToken('admin'))

beforeEach(() => {
  logged = []
})

it('says nothing of an error of its own but where to look for it, and logs it once', async () => {
  await sql('alter table article_stats rename to gone')
  try {
    const query = '{ article(slug: "published") { title viewCount } }'
    const { status, data, errors, headers } = await visitor.send(query, {}, { 'x-request-id': 'look-for-me' })
    expect(status).toBe(200)
    expect(data).toEqual({ article: null })
    expect(errors).toMatchObject([{ path: ['article', 'viewCount'] }])
    expect(errors.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
      {
        message: 'Something went wrong here. It has been logged.',
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'look-for-me' },
      },
    ])
    expect(headers.get('x-request-id')).toBe('look-for-me')
    expect(logged).toMatchObject([
      { level: 50, requestId: 'look-for-me', err: { message: expect.stringContaining('article_stats') } },
    ])
  } finally {
    await sql('alter table gone rename to article_stats')
  }
})

it('says nothing of how a write failed, and undoes it', async () => {
  await sql('alter table article_tags add constraint secret_rule check (tag_id <> 2)')
  try {
    const { data, errors } = await author.send<{ createArticle: null }>(
      'mutation { createArticle(input: { title: "New", body: "", tags: ["dogs"] }) { article { id } } }',
    )
    expect(data).toEqual({ createArticle: null })
    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
    expect(JSON.stringify(errors)).not.toMatch(/secret_rule|article_tags|insert|select|\.ts/i)
    expect(logged).toHaveLength(1)
    expect(await sql(`select from articles where slug = 'new'`)).toEqual([])
  } finally {
    await sql('alter table article_tags drop constraint secret_rule')
  }
})

it("does not log the asker's errors", async () => {
  for (const client of [visitor, author, new GraphQLClient(node.url, 'garbage')]) {
    for (const query of ['{', '{ nonsense }', '{ article { id } }', 'mutation { deleteTag(id: "x") { deletedId } }']) {
      const { errors } = await client.send(query)
      expect(errors).not.toEqual([])
    }
  }
  expect(logged).toEqual([])
})

it('stays within its time, and says nothing of why, while PostgreSQL hangs or is gone', async () => {
  const { hostname, port } = new URL(sharedServers().postgresUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port || 5432) })
  const remote = await startTestNode({
    databaseUrl: proxy.through(database.url),
    environment: { CATCH_UP_TIMEOUT_MS: '200' },
  })
  try {
    const { token } = await remote.visitor.send('{ tags { totalCount } }')
    const [position, epoch] = String(token).split('.')
    for (const fault of ['stall', 'cut'] as const) {
      await proxy[fault]()
      for (const asOf of [`${Number(position) + 1}.${epoch}`, '1.abcdef']) {
        const { status, errors } = await remote.visitor.send('{ tags { totalCount } }', {}, { 'stet-as-of': asOf })
        expect([status, errors.map(({ extensions }) => extensions.code)]).toEqual([503, ['NOT_CAUGHT_UP']])
      }
    }
    const { errors } = await remote.admin.send('mutation { createTag(input: { name: "New" }) { tag { id } } }')
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
    expect(JSON.stringify(errors)).not.toMatch(/connect|ECONN|127\.0\.0\.1|password/i)
  } finally {
    await proxy.restore()
    await remote.close()
    await proxy.close()
  }
})

it.each([
  ['is missing', 'query ($n: Int!) { tags(first: $n) { totalCount } }', {}],
  ['is of another type', 'query ($n: Int) { tags(first: $n) { totalCount } }', { n: 'ten' }],
  ['is a number too large', 'query ($n: Int) { tags(first: $n) { totalCount } }', { n: 2 ** 40 }],
  ['is no member of its enum', 'query ($o: ArticleOrder) { articles(orderBy: $o) { totalCount } }', { o: 'RANDOM' }],
  ['has a field there is not', 'query ($f: ArticleFilter) { articles(filter: $f) { totalCount } }', { f: { x: 1 } }],
  ['is null where it may not be', 'query ($id: ID!) { node(id: $id) { id } }', { id: null }],
])('says what is wrong with a variable that %s', async (_what, query, variables) => {
  const accept = 'application/graphql-response+json'
  const { status, errors } = await visitor.send(query, variables, { accept })
  expect(status).toBe(400)
  expect((await visitor.send(query, variables)).status).toBe(200)
  expect(errors).toMatchObject([
    { message: expect.stringContaining('ariable "$'), extensions: { code: 'BAD_USER_INPUT' } },
  ])
})

const inner = (depth: number): string =>
  depth === 0 ? 'id' : `author { articles(first: 100) { nodes { id ${inner(depth - 1)} } } }`
const nested = (depth: number) => `articles(first: 100) { nodes { ${inner(depth)} } }`
const fragments = `fragment F on Article { ${inner(2)} }`

it.each([
  ['nests lists', `{ ${nested(2)} }`],
  ['hides what is nested in fragments', `{ articles(first: 100) { nodes { ...F } } } ${fragments}`],
  ['hides what is nested in inline fragments', `{ articles(first: 100) { nodes { ... on Article { ${inner(2)} } } } }`],
  [
    'hides what is nested behind an interface',
    `{ node(id: "${ids.ann}") { ... on User { ${inner(3).replace('author ', '').slice(1, -1)} } } }`,
  ],
  [
    'asks the same again and again under other names',
    `{ ${Array.from({ length: 300 }, (_, n) => `a${n}: articles(first: 100) { nodes { id } }`).join(' ')} }`,
  ],
  ['makes room by asking for less than nothing', `{ a: articles(first: -2147483648) { nodes { id } } ${nested(2)} }`],
  [
    'asks for many nodes',
    `query { nodes(ids: [${`"${ids.ann}",`.repeat(100)}]) { ... on User { articles(first: 100) { nodes { id title body } } } } }`,
  ],
  [
    'pretends to skip',
    `query ($no: Boolean = false) { articles(first: 100) { nodes { ${inner(2)} } } tags @skip(if: $no) { totalCount } }`,
  ],
  [
    'multiplies fragments',
    `{ ...F0 } ${Array.from({ length: 40 }, (_, n) => `fragment F${n} on Query { a${n}: __typename ...F${n + 1} ...G${n} } fragment G${n} on Query { ...F${n + 1} }`).join(' ')} fragment F40 on Query { __typename }`,
  ],
])('refuses, without running it, a query that %s', async (_what, query) => {
  const { data, errors } = await visitor.send<undefined>(query)
  expect(data).toBeUndefined()
  expect(errors.length).toBeGreaterThan(0)
  expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['QUERY_TOO_COMPLEX']))
})

it('counts what is skipped as nothing', async () => {
  const { errors } = await visitor.send(
    `query ($no: Boolean = false) { tags { totalCount } ... @include(if: $no) { ${nested(2)} } }`,
  )
  expect(errors).toEqual([])
})

it('allows what a page of a site needs', async () => {
  const page = `{
    articles(first: 100) { totalCount pageInfo { endCursor hasNextPage }
      edges { cursor node { id slug title summary bodyHtml publishedAt author { id displayName avatarUrl } tags { id slug name } } } }
    tags(first: 100) { nodes { slug name articleCount } }
    viewer { id articles(first: 20, orderBy: NEWEST) { nodes { id title status } } }
  }`
  expect((await visitor.send(page)).errors).toEqual([])
})

it.each([
  ['GraphiQL', getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true })],
  ['a code generator', getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, oneOf: true })],
])('shows its schema to %s', async (_who, query) => {
  const { data, errors } = await admin.send<{ __schema: { types: { name: string }[] } }>(query)
  expect(errors).toEqual([])
  expect(data.__schema.types.map(({ name }) => name)).toEqual(expect.arrayContaining(['Article', 'User', 'Tag']))
})

const sql = (text: string) => queryOnce(database.url, text)
