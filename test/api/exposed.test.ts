import { expect, it } from '@jest/globals'
import { exchange, GraphQLClient, readMetrics, startTestNode, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'

/** What a node shows of itself: its schema, the playground, its metrics, and what it tells browsers. */
const database = await useDatabase()
/** As an operator has it who sets none of these options. */
const UNSET = { INTROSPECTION: '', PLAYGROUND: '', METRICS_TOKEN: '', METRICS_PORT: '' }
const redis = useRedis()
const off = await useNode({ database, redis, environment: UNSET })
const forAdmins = await useNode({ database, redis, environment: { ...UNSET, PLAYGROUND: 'admin' } })
/** In Redis it keeps answers that the others must not give. */
const on = await useNode({ database, redis, environment: { ...UNSET, INTROSPECTION: 'on', TRUST_PROXY: 'loopback' } })
await addContent(database.url)
await on.catchUp()

const INTROSPECTIONS = [
  '{ __schema { queryType { name } } }',
  '{ __type(name: "Article") { name } }',
  '{ a: __schema { queryType { name } } tags { totalCount } }',
  '{ ...S } fragment S on Query { ... { __schema { types { name } } } }',
  'query Q($is: Boolean = true) { __schema @include(if: $is) { queryType { name } } }',
  'query Other { tags { totalCount } } query Q { __type(name: "User") { fields { name } } }',
]
const operationName = (query: string) => (query.includes('query Q') ? { operationName: 'Q' } : {})

async function ask(client: TestNode, query: string, bearer?: string, method = 'POST') {
  const parameters = { query, ...operationName(query) }
  const headers = { ...(bearer && { authorization: `Bearer ${bearer}` }), 'content-type': 'application/json' }
  const response = await (method === 'POST'
    ? fetch(`${client.url}/graphql`, { method, headers, body: JSON.stringify(parameters) })
    : fetch(`${client.url}/graphql?${new URLSearchParams(parameters as Record<string, string>)}`, { headers }))
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] }
  const { headers: head } = response
  return { data, code: errors?.[0]?.extensions.code, control: head.get('cache-control'), etag: head.get('etag') }
}

const METHODS = ['POST', 'GET', 'POST', 'GET']

it.each(INTROSPECTIONS)(
  'tells nobody of the schema by default, however often it is asked, nor from Redis: %s',
  async (query) => {
    const tokens = [undefined, await bearerOf('author'), await bearerOf('admin')]
    for (const method of METHODS) {
      for (const token of tokens) {
        expect(await ask(on, query, token, method)).toMatchObject({ data: expect.anything() })
        expect(await ask(off, query, token, method)).toMatchObject({ code: 'FORBIDDEN', etag: null })
      }
    }
  },
)

it.each(INTROSPECTIONS)('tells admins alone if it is told so, and keeps nothing of it: %s', async (query) => {
  const [author, admin] = [await bearerOf('author'), await bearerOf('admin')]
  for (const method of METHODS) {
    const told = await ask(forAdmins, query, admin, method)
    expect(told).toMatchObject({ data: expect.anything(), control: 'private, no-store', etag: null })
    for (const token of [undefined, author]) {
      const refused = await ask(forAdmins, query, token, method)
      expect(refused).toMatchObject({ code: 'FORBIDDEN', control: 'private, no-store', etag: null })
      expect(refused.data ?? null).toBeNull()
    }
  }
})

it('gives the type of an object to everybody', async () => {
  expect((await ask(off, '{ __typename tags { __typename } }')).data).toEqual({
    __typename: 'Query',
    tags: { __typename: 'TagConnection' },
  })
})

const TYPOS: [query: string, variables: Record<string, unknown>][] = [
  ['{ artcles { totalCount } }', {}],
  ['{ articles(fist: 1) { totalCount } }', {}],
  ['{ articles(orderBy: NEWST) { totalCount } }', {}],
  ['{ node(id: "x") { title } }', {}],
  ['query ($f: ArticleFiltr) { articles(filter: $f) { totalCount } }', {}],
  ['query ($f: ArticleFilter) { articles(filter: $f) { totalCount } }', { f: { serch: 'x' } }],
  ['query ($o: ArticleOrder) { articles(orderBy: $o) { totalCount } }', { o: 'NEWST' }],
  ['{ articles(filter: { serch: "x" }) { totalCount } }', {}],
  ['{ tags { ...Nods } } fragment Nodes on TagConnection { totalCount }', {}],
]

it.each(TYPOS)('suggests nothing to those who may not ask for the schema: %s', async (query, variables) => {
  const messages = async (client: GraphQLClient) => {
    const { errors } = await client.send(query, variables)
    expect(errors.length).toBeGreaterThan(0)
    return errors.map(({ message }) => message).join('\n')
  }
  for (const client of [off.visitor, await off.author(ANN), off.admin, forAdmins.visitor]) {
    expect(await messages(client)).not.toMatch(/did you mean/i)
    expect(await messages(client)).not.toBe('')
  }
  const suggested = await messages(on.visitor)
  expect(await messages(forAdmins.admin)).toBe(suggested)
})

it('serves no playground by default', async () => {
  for (const path of ['/', '/graphiql', '/graphiql/', '/graphiql/config.json', '/graphiql/assets/x.js']) {
    expect([path, (await fetch(off.url + path, { redirect: 'manual' })).status]).toEqual([path, 404])
  }
  expect((await fetch(`${forAdmins.url}/`, { redirect: 'manual' })).status).toBe(302)
  expect(await (await fetch(`${forAdmins.url}/graphiql/config.json`)).json()).not.toHaveProperty('demoToken')
})

it('shows all of that in demo mode', async () => {
  const demo = await startTestNode({ databaseUrl: database.url, environment: { ...UNSET, AUTH_JWT_SECRET: '' } })
  try {
    expect(await ask(demo, INTROSPECTIONS[0] ?? '')).toMatchObject({ data: expect.anything() })
    expect((await fetch(`${demo.url}/`, { redirect: 'manual' })).status).toBe(302)
    expect(await (await fetch(`${demo.url}/metrics`)).text()).toContain('stet_ledger_position')
    expect((await new GraphQLClient(demo.url).send('{ artcles { totalCount } }')).errors[0]?.message).toMatch(
      /Did you mean/,
    )
  } finally {
    await demo.close()
  }
})

it('shows its metrics to nobody, to those with the token, or at a port of their own', async () => {
  expect([(await fetch(`${off.url}/metrics`)).status, off.metricsUrl]).toEqual([404, undefined])
  const withToken = await startTestNode({ databaseUrl: database.url })
  try {
    for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Basic wrong', `Bearer ${await bearerOf('admin')}`]) {
      const refused = await fetch(`${withToken.url}/metrics`, { headers: { authorization } })
      expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
      expect(await refused.text()).not.toContain('stet_')
    }
    expect(await readMetrics(withToken.url)).toContain('stet_ledger_position')
    expect((await fetch(`${withPort.url}/metrics`)).status).toBe(404)
    expect(await (await fetch(String(withPort.metricsUrl))).text()).toContain('stet_ledger_position')
    expect((await fetch(String(withPort.metricsUrl).replace('/metrics', '/graphql'))).status).toBe(404)
  } finally {
    await withToken.close()
  }
})

const LONG = `Content-Type: application/json\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`
const withPort = await useNode({ database, environment: { ...UNSET, METRICS_PORT: '0' } })

it.each([
  ['the metrics', 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n', 200],
  ['another path', 'GET /graphql HTTP/1.1\r\nHost: a\r\n\r\n', 404],
  ['another method', 'POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 405],
  ['a long body', `POST /metrics HTTP/1.1\r\nHost: a\r\n${LONG}`, 413],
  ['no HTTP', 'nonsense\r\n\r\n', 400],
  ['no host', 'GET /metrics HTTP/1.1\r\n\r\n', 400],
  ['no host that is one', 'GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['two hosts', 'GET /metrics HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['a URL that makes no sense', 'GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a head that is too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
])(
  'says at the port of the metrics that nothing may be kept, and what browsers may do: of %s',
  async (_what, bytes, status) => {
    const [reply] = await exchange(String(withPort.metricsUrl), [{ bytes }])
    expect(reply?.start).toContain(` ${status} `)
    expect(Object.fromEntries(reply?.headers ?? [])).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  },
)

const get = (path: string, ...lines: string[]) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: test', ...lines].join('\r\n')}\r\n\r\n`
const TAGS = '/graphql?query={tags{totalCount}}'
const ANSWERS: [what: string, status: string, bytes: string][] = [
  ['an answer', '200', get(TAGS)],
  ['the same from the cache', '200', get(TAGS)],
  ['what the client has', '304', get(TAGS, 'If-None-Match: *')],
  ['a compressed answer', '200', get(TAGS, 'Accept-Encoding: identity;q=0, gzip')],
  ['another media type', '200', get(TAGS, 'Accept: application/graphql-response+json')],
  ['an error of GraphQL', '200', get('/graphql?query={')],
  ['a wrong token', '401', get(TAGS, 'Authorization: Bearer x')],
  ['a wrong method', '405', 'PUT /graphql HTTP/1.1\r\nHost: test\r\n\r\n'],
  ['OPTIONS', '204', 'OPTIONS /graphql HTTP/1.1\r\nHost: test\r\n\r\n'],
  ['a body that is too large', '413', 'POST /graphql HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999\r\n\r\n'],
  ['health', '200', get('/healthz')],
  ['nothing', '404', get('/nowhere')],
  ['a bad URL', '400', get('/%zz')],
  ['what is no HTTP', '400', 'nonsense\r\n\r\n'],
  ['a head that is too large', '431', get('/', `X: ${'x'.repeat(20_000)}`)],
  ['a last answer', '200', get(TAGS, 'Connection: close')],
]

it.each(ANSWERS)('tells browsers what not to do with %s', async (_what, status, bytes) => {
  const [reply] = await exchange(on.url, [{ bytes }])
  const { start = '', headers } = reply ?? {}
  expect(start.slice(9, 12)).toBe(status)
  expect(headers?.get('x-content-type-options')).toBe('nosniff')
  expect(headers?.get('referrer-policy')).toBe('no-referrer')
  expect(headers?.get('permissions-policy')).toContain('geolocation=()')
  expect(headers?.has('strict-transport-security')).toBe(false)
})

it('has browsers stay with TLS if a proxy that is believed says that they came by it', async () => {
  const proto = (node: TestNode, path: string, ...lines: string[]) =>
    exchange(node.url, [{ bytes: get(path, ...lines) }])
  for (const path of [TAGS, TAGS, '/healthz', '/nowhere']) {
    const hsts = async (node: TestNode, ...lines: string[]) =>
      (await proto(node, path, ...lines))[0]?.headers.get('strict-transport-security')
    expect(await hsts(on, 'X-Forwarded-Proto: https')).toMatch(/^max-age=\d{8}$/)
    expect(await hsts(on, 'X-Forwarded-Proto: http')).toBeUndefined()
    expect(await hsts(on)).toBeUndefined()
    expect(await hsts(off, 'X-Forwarded-Proto: https')).toBeUndefined()
  }
})

const bearerOf = (role: 'author' | 'admin'): Promise<string> =>
  role === 'author' ? testToken('author', ANN) : testToken('admin')
