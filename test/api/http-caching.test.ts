import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import { eventually, queryOnce, readMetrics, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'

/** RFC 9110 and 9111, a row a test: what requests may say of caches, and what every answer says to them. */
const database = await useDatabase()
const node = await useNode({ database, environment: { PLAYGROUND: 'on', CACHE_TTL_JITTER: '0' } })
await addContent(database.url)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`

interface Raw {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Sending {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly at?: TestNode
}

/** By a client that adds no header of its own. */
async function send(path: string, { method = 'GET', headers = {}, body, at = node }: Sending = {}): Promise<Raw> {
  const sent = request(at.url + path, { method, headers }).end(body)
  const [response] = await once(sent, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

const pathOf = (query: string) => `/graphql?query=${encodeURIComponent(query)}`
const ask = (query: string, headers: Record<string, string> = {}) => send(pathOf(query), { headers })

let asked = 1000
/** Nobody asked for it before. */
const anew = () => `{ a${++asked}: article(slug: "published") { title } }`

const loads = async () => {
  const metrics = await readMetrics(node.url)
  return Number(/^stet_cache_load_seconds_count\{kind="article"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
}

it.each(['no-store', 'No-Store', 'max-age=60, no-store', 'no-store, no-cache'])(
  'keeps no answer to a request that says %s, and gives one that is kept',
  async (directive) => {
    await ask(anew())
    const query = anew()
    for (let n = 0; n < 3; n++) {
      const { status, headers } = await ask(query, { 'cache-control': directive })
      expect([status, headers['cache-control'], headers.etag]).toEqual([200, 'private, no-store', undefined])
      expect(headers['cache-status']).toBe('stet; hit; detail=entries')
    }
    expect((await ask(query)).headers['cache-status']).toBe('stet; hit; detail=entries; stored')
    expect((await ask(query, { 'cache-control': directive })).headers['cache-status']).toMatch(/; detail=memory$/)
  },
)

it('answers only from what it holds if the request says so', async () => {
  const query = anew()
  const only = { 'cache-control': 'only-if-cached' }
  const missing = await ask(query, only)
  expect([missing.status, missing.headers['cache-control']]).toEqual([504, 'private, no-store'])
  expect(JSON.parse(missing.body)).toMatchObject({ errors: [{ extensions: { code: 'NOT_CACHED' } }] })
  const made = await ask(query)
  const held = await ask(query, only)
  expect([held.status, held.body, held.headers['x-cache']]).toEqual([200, made.body, 'HIT'])
  // Somebody else's is not held for everyone.
  const email = '{ viewer { email } }'
  await ask(email)
  expect((await ask(email, { ...only, authorization: ann })).status).toBe(504)
  expect((await ask(email, { ...only, authorization: 'Bearer nonsense' })).status).toBe(401)
  await queryOnce(database.url, `update articles set title = 'Changed' where slug = 'published'`)
  await node.catchUp()
  expect((await ask(query, only)).status).toBe(504)
})

it('runs nothing for a request that says only-if-cached, least of all a mutation', async () => {
  const query = 'mutation { createTag(input: { name: "Never" }) { tag { slug } } }'
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await testToken('admin')}` }
  const body = JSON.stringify({ query })
  const sending = { method: 'POST', body, headers: { ...headers, 'cache-control': 'only-if-cached' } }
  expect((await send('/graphql', sending)).status).toBe(504)
  expect(await queryOnce(database.url, `select 1 from tags where name = 'Never'`)).toEqual([])
})

it.each(['no-cache', 'max-age=0', 'MAX-AGE=0', 'max-age="0", no-transform'])(
  'reads from the database for viewers who are signed in and say %s, and for no visitor',
  async (directive) => {
    const query = '{ article(slug: "published") { title slug } }'
    const added = async (headers: Record<string, string>) => {
      await ask(query, headers.authorization === undefined ? {} : { authorization: headers.authorization })
      const before = await loads()
      const { headers: head } = await ask(query, headers)
      return [(await loads()) - before, head['x-cache']]
    }
    expect(await added({ 'cache-control': directive, authorization: ann })).toEqual([1, 'BYPASS'])
    expect(await added({ 'cache-control': directive })).toEqual([0, 'HIT'])
  },
)

it.each(['max-age=60', 'max-stale', 'min-fresh=5', 'no-transform', 'nonsense', 'x-no-cache', '', 'stale-if-error=1'])(
  'answers as if the request had not said %j',
  async (directive) => {
    const query = '{ tags { totalCount } }'
    const expected = await ask(query)
    expect((await ask(query, { 'cache-control': directive })).body).toBe(expected.body)
    expect((await ask(query, { 'cache-control': directive, authorization: ann })).body).toBe(expected.body)
  },
)

const POSTED = { method: 'POST', headers: { 'content-type': 'application/json' } }
const LONG = { ...POSTED, headers: { ...POSTED.headers, authorization: ann }, body: 'x'.repeat(4_194_305) }

it.each<[what: string, status: number, expected: RegExp, sending: readonly [path: string, sending?: Sending]]>([
  ['a kept answer', 200, /^public, max-age=\d+$/, [pathOf('{ tags { totalCount } }')]],
  [
    'an answer for one viewer',
    200,
    /^private, no-store$/,
    [pathOf('{ viewer { id } }'), { headers: { authorization: ann } }],
  ],
  ['a faulty question', 200, /^private, no-store$/, [pathOf('{ nonsense }')]],
  ['no question', 400, /^private, no-store$/, ['/graphql']],
  ['a bad token', 401, /^private, no-store$/, ['/graphql', { headers: { authorization: 'Bearer x' } }]],
  ['a mutation by GET', 405, /^private, no-store$/, [pathOf('mutation { deleteArticle(id: "x") { deletedId } }')]],
  ['another method', 405, /^private, no-store$/, ['/graphql', { method: 'PUT' }]],
  [
    'no type that is taken',
    406,
    /^private, no-store$/,
    [pathOf('{ __typename }'), { headers: { accept: 'image/png' } }],
  ],
  ['another type of body', 415, /^private, no-store$/, ['/graphql', { method: 'POST', body: 'x' }]],
  ['a long body', 413, /^private, no-store$/, ['/graphql', LONG]],
  ['OPTIONS', 204, /^no-store$/, ['/graphql', { method: 'OPTIONS' }]],
  ['a browser', 303, /^no-store$/, ['/graphql', { headers: { accept: 'text/html' } }]],
  ['the root', 302, /^no-store$/, ['/']],
  ['the health', 200, /^no-store$/, ['/healthz']],
  ['the health by HEAD', 200, /^no-store$/, ['/healthz', { method: 'HEAD' }]],
  ['readiness', 200, /^no-store$/, ['/readyz']],
  ['the configuration of the playground', 200, /^no-store$/, ['/graphiql/config.json']],
  ['a path that leads nowhere', 404, /^no-store$/, ['/nowhere']],
  ['an asset that is not there', 404, /^(no-store|public, max-age=0)$/, ['/graphiql/assets/nowhere.js']],
  ['a URL that makes no sense', 400, /^no-store$/, ['/%ff']],
])('says of %s how long it may be kept', async (_what, status, expected, [path, sending]) => {
  const answer = await send(path, sending)
  expect([answer.status, answer.headers['cache-control']]).toEqual([status, expect.stringMatching(expected)])
})

it('says so of the metrics, and of what is no HTTP', async () => {
  const metrics = await fetch(String(node.metricsUrl))
  expect([metrics.status, metrics.headers.get('cache-control')]).toEqual([401, 'no-store'])
  const { hostname, port } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  socket.end('nonsense\r\n\r\n')
  const reply = await text(socket)
  expect(reply).toMatch(/^HTTP\/1\.1 400 .*\r\ncache-control: no-store\r\n/s)
})

it.each([
  ['{ __typename }', 600],
  ['{ __schema { queryType { name } } }', 600],
  ['{ article(slug: "published") { title } }', 300],
  ['{ tags { totalCount } }', 60],
  ['{ users { totalCount } }', 60],
  ['{ user(username: "ann") { displayName } }', 600],
  ['{ __typename article(slug: "published") { author { displayName } tags { name } } }', 300],
])('lets nobody keep %s for longer than its kinds live', async (query, seconds) => {
  for (let n = 0; n < 2; n++) {
    const { headers } = await ask(query)
    const [, maxAge] = /^public, max-age=(\d+)$/.exec(String(headers['cache-control'])) ?? []
    expect(Number(maxAge)).toBeGreaterThan(0)
    expect(Number(maxAge)).toBeLessThanOrEqual(seconds)
    expect(Number(headers.age)).toBeLessThanOrEqual(Number(maxAge))
  }
})

const soften = async () => {
  const body = JSON.stringify({ query: 'mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }' })
  const headers = { ...POSTED.headers, authorization: `Bearer ${await testToken('admin')}` }
  expect((await send('/graphql', { method: 'POST', body, headers })).status).toBe(200)
}

it('says of a stale answer that it is fresh nowhere', async () => {
  const query = '{ tags(first: 5) { nodes { name id } } }'
  await ask(query)
  await soften()
  const { headers } = await ask(query)
  expect([headers['x-cache'], headers['cache-control']]).toEqual(['STALE', 'public, max-age=0'])
  await eventually(async () => {
    const { headers } = await ask(query)
    return headers['x-cache'] === 'HIT' && /^public, max-age=60$/.test(String(headers['cache-control']))
  })
})

it('lets others keep the first answer that is not stale after one that was', async () => {
  await ask('{ tags(first: 5) { nodes { id name } } }')
  await soften()
  const query = '{ tags(first: 5) { nodes { id name slug } } }'
  const stale = await ask(query)
  expect([stale.headers['x-cache'], stale.headers['cache-control']]).toEqual(['STALE', 'private, no-store'])
  await eventually(async () => {
    const { headers } = await ask(query)
    const isStale = headers['x-cache'] === 'STALE'
    expect(headers['cache-control']).toMatch(isStale ? /^private, no-store$|max-age=0$/ : /^public, max-age=\d+$/)
    return !isStale
  })
})

/** Each changes what is answered, or must not: the names that `Vary` has, and the conditions and directives that RFC 9110 and 9111 except. */
const VARIED: readonly [name: string, ...values: string[]][] = [
  ['accept', 'application/json', 'application/graphql-response+json', '*/*', 'text/html', 'text/html, */*;q=0.1'],
  ['accept-encoding', 'gzip', 'br', 'identity', '*;q=0'],
  ['accept-language', 'de', 'fr-CH, fr;q=0.9'],
  ['accept-charset', 'iso-8859-1'],
  ['authorization', ann, 'Bearer nonsense', 'Basic eDp5'],
  ['stet-as-of', '0.000000000000', 'nonsense'],
  ['stet-explain', '1'],
  ['cookie', 'session=1'],
  ['origin', 'https://other.example', 'null'],
  ['referer', 'https://other.example/'],
  ['user-agent', 'Mozilla/5.0', 'curl/8'],
  ['range', 'bytes=0-1'],
  ['if-range', '"x"'],
  ['if-match', '"x"'],
  ['if-modified-since', 'Thu, 01 Jan 2099 00:00:00 GMT'],
  ['if-unmodified-since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['if-none-match', '"x"'],
  ['te', 'trailers'],
  ['expect', '100-continue'],
  ['dnt', '1'],
  ['save-data', 'on'],
  ['priority', 'u=1'],
  ['pragma', 'no-cache'],
  ['prefer', 'return=minimal'],
  ['cache-control', 'no-cache', 'max-age=0', 'max-age=60', 'no-transform'],
  ['x-request-id', 'varied'],
  ['x-http-method-override', 'DELETE'],
  ['x-forwarded-for', '198.51.100.1'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-host', 'other.example'],
  ['forwarded', 'for=198.51.100.1;proto=https'],
  ['via', '1.1 other'],
  ['sec-fetch-mode', 'cors', 'navigate'],
  ['sec-fetch-site', 'cross-site'],
  ['upgrade-insecure-requests', '1'],
  ['content-type', 'application/json', 'text/plain', 'application/json; charset=utf-16'],
  ['content-language', 'de'],
  ['apollo-require-preflight', 'true'],
  ['apollographql-client-name', 'page'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
]

/** Without what names this exchange and this question, and what tells of the cache: that differs with every answer. */
const lasting = ({ status, headers, body }: Raw) => {
  const { date: _, age: __, etag, 'x-request-id': ___, 'cache-status': ____, 'x-cache': _____, ...rest } = headers
  return { status, headers: rest, isNamed: etag !== undefined, body: body.replace(/"a\d+"/g, '"a"') }
}

it.each(VARIED)('answers alike whatever %s says, kept or not, or names it in Vary', async (name, ...values) => {
  for (const value of values) {
    for (const isKept of [true, false]) {
      const queries = [anew(), anew()]
      if (isKept) for (const query of queries) for (let n = 0; n < 2; n++) await ask(query)
      // Two questions that differ in a name alone.
      const [plain, varied] = [await ask(String(queries[0])), await ask(String(queries[1]), { [name]: value })]
      const vary = String(plain.headers.vary).toLowerCase().split(', ')
      if (vary.includes(name)) continue
      expect([name, value, isKept, lasting(varied)]).toEqual([name, value, isKept, lasting(plain)])
    }
  }
})
