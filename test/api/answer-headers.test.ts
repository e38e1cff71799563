import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, it } from '@jest/globals'
import { parseDictionary, parseList, Token } from 'structured-headers'
import { queryOnce, readMetrics, testToken } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** RFC 9110 (semantics), 9111 (caching), 9211 (Cache-Status): what the head of an answer that is kept says. */
const database = await useDatabase()
const node = await useNode({
  database,
  redis: useRedis(),
  // A life is as long as the schema says: else a list's is shortened at random, and its answer's once more.
  environment: { CACHE_TTL_JITTER: '0' },
})
await addContent(database.url)
await queryOnce(
  database.url,
  `insert into tags (slug, name, description)
     select 'tag-' || n, 'Tag ' || n, repeat('tags ', 20) from generate_series(1, 100) n;
   insert into users (username, display_name, email)
     select 'user' || n, 'User ' || n, n || '@example.com' from generate_series(1, 100) n;
   insert into articles (slug, title, body, author_id, status, published_at)
     select 'many-' || n, 'Many ' || n, '', 2 + n, 'PUBLISHED', '2026-02-01' from generate_series(1, 100) n;
   insert into article_tags select a.id, 2 + (a.id + n) % 100 from articles a, generate_series(1, 3) n where a.slug like 'many-%'`,
)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`
const admin = `Bearer ${await testToken('admin')}`

const PUBLIC = '{ article(slug: "published") { id title author { displayName } } }'
/** Long enough to be compressed. */
const LONG = '{ tags(first: 100) { nodes { id slug name description } } }'
const PRIVATE = '{ user(username: "ann") { username email } }'

interface Raw {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As they were sent. */
  readonly bytes: Buffer
}

interface Sending {
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
  readonly variables?: Record<string, unknown>
}

async function send(query: string, { method = 'GET', headers = {}, variables = {} }: Sending = {}): Promise<Raw> {
  const isPost = method === 'POST'
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  const sent = request(`${node.url}/graphql${isPost ? '' : `?${parameters}`}`, {
    method,
    headers: { ...(isPost && { 'content-type': 'application/json' }), ...headers },
  }).end(isPost ? JSON.stringify({ query, variables }) : undefined)
  const [response] = await once(sent, 'response')
  return { status: response.statusCode, headers: response.headers, bytes: await buffer(response) }
}

/** An answer that is kept, and was sent as such. */
async function hit(query: string, sending?: Sending): Promise<Raw> {
  await send(query, sending)
  const answer = await send(query, sending)
  expect(answer.headers['x-cache']).toBe('HIT')
  return answer
}

/** What differs with every answer. */
const lasting = ({ date: _, age: __, 'x-request-id': ___, 'cache-status': ____, ...headers }: IncomingHttpHeaders) =>
  headers

it('names an answer by its content: strongly, and each way of sending it by a name of its own', async () => {
  const tags = new Map<string, string>()
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headers = { accept, 'accept-encoding': encoding }
      const { etag, 'content-encoding': sentAs, 'content-type': type } = (await hit(LONG, { headers })).headers
      expect(etag).toMatch(/^"[\w.-]+"$/)
      expect([sentAs ?? 'identity', type]).toEqual([encoding, `${accept}; charset=utf-8`])
      tags.set(String(etag), `${accept} ${encoding}`)
      // However it is asked for: the bytes are the same.
      expect((await send(LONG, { headers, method: 'POST' })).headers.etag).toBe(etag)
    }
  }
  expect(tags.size).toBe(6)
})

it.each([
  ['itself', (tag: string) => tag, 304],
  ['itself, weakly', (tag: string) => `W/${tag}`, 304],
  ['one of a list', (tag: string) => `"a", W/"b,c" ,${tag},"d"`, 304],
  ['anything', () => '*', 304],
  ['anything, with space around', () => ' * ', 304],
  ['another', () => '"another"', 200],
  ['itself without quotes', (tag: string) => tag.slice(1, -1), 200],
  ['itself in another case', (tag: string) => tag.toUpperCase() + tag.toLowerCase(), 200],
  ['the beginning of it', (tag: string) => `${tag.slice(0, -2)}"`, 200],
  ['a star among others', () => '"a", *', 200],
  ['nothing', () => '', 200],
])('answers 304 or not to whoever holds %s', async (_what, given, status) => {
  const { etag } = (await hit(PUBLIC)).headers
  const headers = { 'if-none-match': given(String(etag)) }
  for (const method of ['GET', 'HEAD']) {
    expect((await send(PUBLIC, { method, headers })).status).toBe(status)
  }
})

it('has no 304 for who holds it compressed otherwise, or of another type', async () => {
  const { etag } = (await hit(LONG, { headers: { 'accept-encoding': 'gzip' } })).headers
  const holding = { 'if-none-match': String(etag) }
  const ask = async (headers: Record<string, string>) =>
    (await send(LONG, { headers: { ...holding, ...headers } })).status
  expect(await ask({ 'accept-encoding': 'gzip' })).toBe(304)
  expect(await ask({ 'accept-encoding': 'br' })).toBe(200)
  expect(await ask({})).toBe(200)
  expect(await ask({ 'accept-encoding': 'gzip', accept: 'application/graphql-response+json' })).toBe(200)
})

it('ignores conditions of a POST, and those about dates', async () => {
  const { etag } = (await hit(PUBLIC)).headers
  expect((await send(PUBLIC, { method: 'POST', headers: { 'if-none-match': String(etag) } })).status).toBe(200)
  const later = { 'if-modified-since': new Date(Date.now() + 1e8).toUTCString() }
  expect((await send(PUBLIC, { headers: later })).status).toBe(200)
  expect((await send(PUBLIC, { headers: { ...later, 'if-none-match': '"another"' } })).status).toBe(200)
  expect((await send(PUBLIC, { headers: { ...later, 'if-none-match': String(etag) } })).status).toBe(304)
})

it('says with a 304 what the answer would have said of itself, and nothing of bytes that are not sent', async () => {
  for (const [query, headers] of [
    [LONG, { 'accept-encoding': 'gzip' }],
    [PRIVATE, { authorization: ann }],
  ] as const) {
    const full = await hit(query, { headers })
    const {
      status,
      headers: head,
      bytes,
    } = await send(query, {
      headers: { ...headers, 'if-none-match': String(full.headers.etag) },
    })
    expect([status, bytes.length]).toEqual([304, 0])
    const {
      'content-type': _,
      'content-length': __,
      'content-encoding': ___,
      ...expected
    } = lasting(full.headers) as Record<string, unknown>
    expect(lasting(head)).toEqual(expected)
    expect(Object.keys(head)).toEqual(expect.arrayContaining(['date', 'etag', 'vary', 'cache-control']))
  }
})

it.each([
  ['kept', PUBLIC, {}],
  ['kept and compressed', LONG, { 'accept-encoding': 'br' }],
  ['made anew', '{ article(slug: "published") { nonsense } }', {}],
  ['refused', PUBLIC, { 'stet-as-of': 'nonsense' }],
])('answers HEAD as GET, without a body: what is %s', async (_what, query, headers) => {
  await send(query, { headers })
  const got = await send(query, { headers })
  const head = await send(query, { method: 'HEAD', headers })
  expect([head.status, head.bytes.length]).toEqual([got.status, 0])
  expect(got.headers['content-length']).toBe(String(got.bytes.length))
  expect(lasting(head.headers)).toEqual(lasting(got.headers))
})

it('lets others keep what is public in all its parts, and nothing else', async () => {
  const control = async (query: string, headers: Record<string, string> = {}) => {
    const answers = [await send(query, { headers }), await send(query, { headers })]
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

it('tells nobody but who may keep it which tags it has, and how old it is', async () => {
  const open = (await hit(PUBLIC)).headers
  expect(Object.keys(open)).toEqual(expect.arrayContaining(['age', 'surrogate-key', 'cache-tag']))
  for (const headers of [{ authorization: ann }, { authorization: admin }]) {
    const closed = (await hit(PRIVATE, { headers })).headers
    for (const name of ['age', 'surrogate-key', 'cache-tag']) expect(closed[name]).toBeUndefined()
  }
})

it('grows older, within a life that does not', async () => {
  const read = async () => {
    const { headers } = await send('{ users { totalCount } }')
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

it('names all that an answer was chosen by', async () => {
  const names = ['accept', 'accept-encoding', 'authorization', 'stet-as-of']
  for (const method of ['GET', 'HEAD', 'POST']) {
    const { headers } = await hit(PUBLIC, { method })
    const vary = String(headers.vary).toLowerCase().split(/, */)
    expect(vary.sort()).toEqual(names)
  }
})

/** The only member of a Cache-Status, as RFC 9211 has it. */
function cacheStatus({ headers }: Raw): Record<string, unknown> {
  const [[name, parameters] = [undefined, new Map()], ...more] = parseList(String(headers['cache-status']))
  expect([String(name), more]).toEqual(['stet', []])
  const status = Object.fromEntries(
    [...parameters].map(([key, value]) => [key, value instanceof Token ? String(value) : value]),
  )
  // One of the two, never both.
  expect('hit' in status).toBe(!('fwd' in status))
  return status
}

it('says where an answer came from, in structured fields', async () => {
  const query = '{ articles(filter: { author: "ann" }, first: 3) { nodes { title } } }'
  const first = await send(query)
  expect([cacheStatus(first), first.headers['x-cache']]).toEqual([{ fwd: 'miss', stored: true }, 'MISS'])
  const { ttl, ...second } = cacheStatus(await send(query))
  expect(second).toEqual({ hit: true, detail: 'memory' })
  expect(ttl).toBeGreaterThan(50)
  expect(ttl).toBeLessThanOrEqual(60)
  await node.flush()
  node.cache.clearMemory()
  expect(cacheStatus(await send(query))).toMatchObject({ hit: true, detail: 'redis' })
  // Its entries are at hand, the whole is not.
  const part = await send('{ articles(filter: { author: "ann" }, first: 3) { nodes { slug } } }')
  expect([cacheStatus(part), part.headers['x-cache']]).toEqual([{ hit: true, detail: 'entries', stored: true }, 'HIT'])
  const past = await send(query, { headers: { authorization: ann, 'cache-control': 'no-cache' } })
  expect([cacheStatus(past), past.headers['x-cache']]).toEqual([{ fwd: 'bypass', stored: true }, 'BYPASS'])
  expect(cacheStatus(await send('{ article(slug: "published") { title } user(id: "x") { id } }'))).toEqual({
    hit: true,
    detail: 'entries',
  })
  expect(cacheStatus(await send('{ nonsense }'))).toEqual({ fwd: 'miss' })
})

it('says so where an answer was made for somebody else', async () => {
  const query = '{ articles(filter: { author: "bob" }, first: 7) { nodes { bodyHtml } } }'
  const all = (await Promise.all([1, 2, 3, 4].map(() => send(query)))).map(cacheStatus)
  expect(all.filter(({ stored }) => stored)).toEqual([{ fwd: 'miss', stored: true }])
  for (const status of all.filter(({ stored }) => !stored)) {
    expect([
      { fwd: 'miss', collapsed: true },
      { hit: true, detail: 'memory', ttl: expect.any(Number) },
    ]).toContainEqual(status)
  }
})

it.each([
  ['gzip', 'gzip'],
  ['br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['GZIP', 'gzip'],
  ['*', 'br'],
  ['br;q=0, *', 'gzip'],
  ['gzip;q=0, br;q=0', 'identity'],
  ['identity', 'identity'],
  ['identity;q=1, gzip;q=0.5', 'identity'],
  ['gzip, identity;q=0', 'gzip'],
  ['*;q=0, br', 'br'],
  ['deflate', 'identity'],
  ['gzip;q=0.001', 'gzip'],
  ['', 'identity'],
  ['nonsense;;;q=,', 'identity'],
])('compresses as %j asks: %s', async (accepted, expected) => {
  const { headers, bytes } = await hit(LONG, { headers: { 'accept-encoding': accepted } })
  expect(headers['content-encoding'] ?? 'identity').toBe(expected)
  expect(headers['content-length']).toBe(String(bytes.length))
  const text = expected === 'br' ? brotliDecompressSync(bytes) : expected === 'gzip' ? gunzipSync(bytes) : bytes
  expect(text.equals((await hit(LONG)).bytes)).toBe(true)
})

it('sends what is short as it is, but to those who refuse that', async () => {
  const asked = (accepted: string) => hit(PUBLIC, { headers: { 'accept-encoding': accepted } })
  expect((await asked('gzip, br')).headers['content-encoding']).toBeUndefined()
  const { headers, bytes } = await asked('gzip, identity;q=0')
  expect(headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(bytes)).toEqual((await hit(PUBLIC)).bytes)
})

it('compresses an answer once, and only where somebody asks for it', async () => {
  const compressed = async () => {
    const metrics = await readMetrics(node.url)
    return Number(/^stet_cache_load_seconds_count\{kind="response-encoded"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
  }
  const query = '{ tags(first: 99) { nodes { id slug name description } } }'
  const before = await compressed()
  await hit(query)
  expect(await compressed()).toBe(before)
  await Promise.all([1, 2, 3, 4].map(() => send(query, { headers: { 'accept-encoding': 'br' } })))
  await hit(query, { method: 'HEAD', headers: { 'accept-encoding': 'br' } })
  await hit(query, { method: 'POST', headers: { 'accept-encoding': 'br' } })
  expect(await compressed()).toBe(before + 1)
})

it.each([
  ['application/json;charset=UTF-8', 'application/json'],
  ['application/*', 'application/json'],
  ['application/json; charset=utf-8, application/graphql-response+json; charset=utf-8', 'application/json'],
  ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
  ['text/html, */*;q=0.1', 'application/json'],
])('keeps answers for those who accept %s', async (accept, type) => {
  const { headers } = await hit(PUBLIC, { headers: { accept } })
  expect(headers['content-type']).toBe(`${type}; charset=utf-8`)
  // What is made anew is sent as the same.
  const made = await send('{ nonsense }', { headers: { accept } })
  expect(made.headers['content-type']).toBe(headers['content-type'])
})

it('keeps nothing from being refused that nobody accepts', async () => {
  await hit(PUBLIC)
  for (const accept of ['text/html', 'application/json;q=0', 'application/json;charset=utf-16', 'nonsense']) {
    expect((await send(PUBLIC, { headers: { accept } })).status).toBe(406)
  }
})

it('keeps the tags of a large answer below what proxies take, and each of them a word', async () => {
  const query = `{ articles(first: 100, filter: { search: "many" }) {
    nodes { id title viewCount author { displayName } tags { name } } } }`
  const { headers } = await hit(query)
  const keys = String(headers['surrogate-key'])
  expect(keys.length + String(headers['cache-tag']).length).toBeLessThan(8000)
  expect(String(headers['cache-tag']).split(',')).toEqual(keys.split(' '))
  const words = new Set(keys.split(' '))
  for (const table of ['articles', 'users', 'tags', 'article_tags', 'article_stats']) {
    // Its rows by name, or all of it.
    const named = [...words].filter((word) => word.startsWith(`${table}:`))
    expect(named.length).toBeGreaterThan(0)
    if (named.length > 1) expect(words).not.toContain(`${table}:any`)
    expect(words).toContain(table)
  }
  expect(words).toContain('articles:any')
})

it('encodes in tags what may not stand in a header', async () => {
  const query = 'query ($slug: String) { article(slug: $slug) { id } }'
  const slug = 'a b, c\r\nx-evil: 1 "ü" 日本 %20'
  const { headers, bytes } = await hit(query, { variables: { slug } })
  expect(JSON.parse(bytes.toString())).toEqual({ data: { article: null } })
  expect(headers['x-evil']).toBeUndefined()
  const words = String(headers['surrogate-key']).split(' ')
  expect(words.map(decodeURIComponent)).toContain(`articles:slug=${slug}`)
  expect(String(headers['cache-tag']).split(',')).toEqual(words)
})

it('answers 304 after a change and back, and never after another', async () => {
  const query = `{ article(id: "${ids.bobsPublished}") { title summary } }`
  const write = async (title: string) => {
    await queryOnce(database.url, `update articles set title = '${title}' where slug = 'bobs-published'`)
    await node.catchUp()
  }
  const { etag } = (await hit(query)).headers
  const ask = async (tag: unknown) => (await send(query, { headers: { 'if-none-match': String(tag) } })).status
  expect(await ask(etag)).toBe(304)
  await write('Changed')
  expect(await ask(etag)).toBe(200)
  const changed = (await hit(query)).headers.etag
  expect(changed).not.toBe(etag)
  await write('Published by Bob')
  expect(await ask(changed)).toBe(200)
  expect(await ask(etag)).toBe(304)
  // Made anew with the same content: still the same.
  await queryOnce(database.url, `select stet.touch('articles')`)
  await node.catchUp()
  expect(await ask(etag)).toBe(304)
})

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (holds(value)) return value
  }
}
