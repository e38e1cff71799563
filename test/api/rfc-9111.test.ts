import { expect, it } from '@jest/globals'
import { parseDictionary } from 'structured-headers'
import { eventually, exchange, queryOnce, readMetrics, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'
import { lasting, pathOf, type Raw, rawClient, type Sending } from './raw-client.ts'

/** RFC 9111, HTTP caching: a test begins with its section. `docs/standards.md` lists them. */
const database = await useDatabase()
const node = await useNode({ database, environment: { PLAYGROUND: 'on', CACHE_TTL_JITTER: '0' } })
await addContent(database.url)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`
const admin = `Bearer ${await testToken('admin')}`

const PUBLIC = '{ article(slug: "published") { id title author { displayName } } }'
const PRIVATE = '{ user(username: "ann") { username email } }'

const { send, ask: askWith, hit } = rawClient(node.url)
const ask = (query: string, headers: Record<string, string> = {}) => askWith(query, { headers })

let asked = 1000
/** Nobody asked for it before. */
const anew = () => `{ a${++asked}: article(slug: "published") { title } }`

const loads = async () => {
  const metrics = await readMetrics(node.url)
  return Number(/^stet_cache_load_seconds_count\{kind="article"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
}

it.each(['no-store', 'No-Store', 'max-age=60, no-store', 'no-store, no-cache'])(
  '5.2.1.5 no-store: keeps no answer to a request that says %s, and gives one that is kept',
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

it('5.2.1.7 only-if-cached: answers only from what it holds if the request says so', async () => {
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

it('5.2.1.7 only-if-cached: runs nothing, least of all a mutation', async () => {
  const query = 'mutation { createTag(input: { name: "Never" }) { tag { slug } } }'
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await testToken('admin')}` }
  const body = JSON.stringify({ query })
  const sending = { method: 'POST', body, headers: { ...headers, 'cache-control': 'only-if-cached' } }
  expect((await send('/graphql', sending)).status).toBe(504)
  expect(await queryOnce(database.url, `select 1 from tags where name = 'Never'`)).toEqual([])
})

it.each(['no-cache', 'max-age=0', 'MAX-AGE=0', 'max-age="0", no-transform'])(
  '5.2.1.1 max-age=0, 5.2.1.4 no-cache: reads from the database for viewers who are signed in and say %s, and for no visitor',
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
  '5.2.1 Request Directives: answers as if the request had not said %j',
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
])(
  '5.2.2 Response Directives: says of %s how long it may be kept',
  async (_what, status, expected, [path, sending]) => {
    const answer = await send(path, sending)
    expect([answer.status, answer.headers['cache-control']]).toEqual([status, expect.stringMatching(expected)])
  },
)

it('5.2.2 Response Directives: says so of the metrics', async () => {
  const metrics = await fetch(String(node.metricsUrl))
  expect([metrics.status, metrics.headers.get('cache-control')]).toEqual([401, 'no-store'])
})

it.each([
  ['no HTTP', 'nonsense\r\n\r\n', 400],
  ['no host', 'GET /metrics HTTP/1.1\r\n\r\n', 400],
  ['no host, for the API', 'GET /graphql HTTP/1.1\r\n\r\n', 400],
  ['no host that is one', 'GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['no URL', 'GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a head that is too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a method that nobody knows', 'NONSENSE / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
])('5.2.2 Response Directives: says so of %s', async (_what, bytes, status) => {
  const [reply] = await exchange(node.url, [{ bytes }])
  expect([reply?.start, reply?.headers.get('cache-control')]).toEqual([
    expect.stringContaining(` ${status} `),
    expect.stringContaining('no-store'),
  ])
})

it.each([
  ['{ __typename }', 600],
  ['{ __schema { queryType { name } } }', 600],
  ['{ article(slug: "published") { title } }', 300],
  ['{ tags { totalCount } }', 60],
  ['{ users { totalCount } }', 60],
  ['{ user(username: "ann") { displayName } }', 600],
  ['{ __typename article(slug: "published") { author { displayName } tags { name } } }', 300],
])('5.2.2.1 max-age: lets nobody keep %s for longer than its kinds live', async (query, seconds) => {
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

it('4.2.4 Stale Responses: says of a stale answer that it is fresh nowhere', async () => {
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

it('4.2.4 Stale Responses: lets others keep the first answer that is not stale after one that was', async () => {
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
  ['content-encoding', 'gzip'],
  ['content-language', 'de'],
  ['apollo-require-preflight', 'true'],
  ['apollographql-client-name', 'page'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
]

/** Without what tells of the cache, and without what names this question. */
const comparable = ({ status, headers, body }: Raw) => {
  const { etag, 'x-cache': _, ...rest } = lasting(headers)
  return { status, headers: rest, isNamed: etag !== undefined, body: body.replace(/"a\d+"/g, '"a"') }
}

it.each(VARIED)(
  '4.1 Vary: answers alike whatever %s says, kept or not, or names it in Vary',
  async (name, ...values) => {
    for (const value of values) {
      for (const isKept of [true, false]) {
        const queries = [anew(), anew()]
        if (isKept) for (const query of queries) for (let n = 0; n < 2; n++) await ask(query)
        // Two questions that differ in a name alone.
        const [plain, varied] = [await ask(String(queries[0])), await ask(String(queries[1]), { [name]: value })]
        const vary = String(plain.headers.vary).toLowerCase().split(', ')
        if (vary.includes(name)) continue
        expect([name, value, isKept, comparable(varied)]).toEqual([name, value, isKept, comparable(plain)])
      }
    }
  },
)

it('5.2.2.7 private, 5.2.2.9 public: lets others keep what is public in all its parts, and nothing else', async () => {
  const control = async (query: string, headers: Record<string, string> = {}) => {
    const answers = [await ask(query, headers), await ask(query, headers)]
    const [first, second] = answers.map(({ headers }) => headers['cache-control']?.replace(/\d+/, 'N'))
    expect(second).toBe(first)
    return first
  }
  const [open, closed] = ['public, max-age=N', 'private, no-store']
  expect(await control(PUBLIC)).toBe(open)
  // That nobody was looked at is learnt from the first who is signed in; the others share.
  await control('{ tags { totalCount } }', { authorization: ann })
  expect(await control('{ tags { totalCount } }', { authorization: admin })).toBe(open)
  expect(await control(PUBLIC, { authorization: ann })).toBe(closed)
  expect(await control(PRIVATE)).toBe(closed)
  expect(await control('{ tags { totalCount } viewer { id } }')).toBe(closed)
  expect(await control('{ tags { totalCount } user(id: "x") { id } }')).toBe(closed)
  expect(await control('{ nonsense }')).toBe(closed)
  expect(await control(PUBLIC, { 'stet-as-of': 'nonsense' })).toBe(closed)
  expect(await control(PUBLIC, { authorization: 'nonsense' })).toBe(closed)
})

it('5.1 Age: tells nobody but who may keep it which tags it has, and how old it is', async () => {
  const open = (await hit(PUBLIC)).headers
  expect(Object.keys(open)).toEqual(expect.arrayContaining(['age', 'surrogate-key', 'cache-tag']))
  for (const headers of [{ authorization: ann }, { authorization: admin }]) {
    const closed = (await hit(PRIVATE, { headers })).headers
    for (const name of ['age', 'surrogate-key', 'cache-tag']) expect(closed[name]).toBeUndefined()
  }
})

it('5.1 Age: grows older, within a life that does not', async () => {
  const read = async () => {
    const { headers } = await ask('{ users(first: 13) { nodes { username } } }')
    const { 'max-age': [maxAge] = [] } = Object.fromEntries(parseDictionary(String(headers['cache-control'])))
    return { age: Number(headers.age), maxAge: Number(maxAge) }
  }
  const first = await read()
  expect(first.age).toBe(0)
  expect(first.maxAge).toBeGreaterThan(50)
  expect(first.maxAge).toBeLessThanOrEqual(60)
  const later = await until(read, ({ age }) => age > 0)
  expect(later.maxAge).toBe(first.maxAge)
})

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (holds(value)) return value
  }
}
