import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { exchange, queryOnce, readMetrics, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'
import { lasting, pathOf, type Raw, rawClient, type Sending } from './raw-client.ts'

/** RFC 9110, HTTP semantics: a test begins with its section. `docs/standards.md` lists them. */
const database = await useDatabase()
const node = await useNode({ database, environment: { PLAYGROUND: 'on', CACHE_TTL_JITTER: '0' } })
await addContent(database.url)
await queryOnce(
  database.url,
  `insert into tags (slug, name, description)
     select 'tag-' || n, 'Tag ' || n, repeat('tags ', 20) from generate_series(1, 100) n`,
)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`
const { send, ask, hit } = rawClient(node.url)

const PUBLIC = '{ article(slug: "published") { id title author { displayName } } }'
/** Long enough to be compressed. */
const LONG = '{ tags(first: 100) { nodes { id slug name description } } }'
const PRIVATE = '{ user(username: "ann") { username email } }'
const POSTED = { method: 'POST', headers: { 'content-type': 'application/json' } }
const MUTATION = `mutation { deleteArticle(id: "${ids.published}") { deletedId } }`
const FUTURE = `${'9'.repeat(15)}.`

interface Row {
  readonly clause: string
  readonly path?: string
  readonly sending?: Sending
  readonly expected: (answer: Raw) => void
}

const is =
  (status: number, headers: Readonly<Record<string, unknown>> = {}) =>
  (answer: Raw) => {
    expect(answer.status).toBe(status)
    expect(answer.headers).toMatchObject(headers)
  }
const BODY = JSON.stringify({ query: PUBLIC })
const LIKE_GET = (answer: Raw) => expect([answer.status, JSON.parse(answer.body)]).toEqual([200, plainBody])
const path = pathOf(PUBLIC)
const plainBody = JSON.parse((await send(path)).body)
const future = FUTURE + String((await send(path)).headers['stet-as-of']).split('.')[1]

const ROWS: readonly Row[] = [
  { clause: '5.1 Field Names: in any case', path, sending: { headers: { AcCePt: 'image/png' } }, expected: is(406) },
  {
    clause: '5.3 Field Order: values of lines with one name count together',
    path,
    sending: { headers: { accept: ['image/png', 'application/graphql-response+json'] } },
    expected: is(200, { 'content-type': 'application/graphql-response+json; charset=utf-8' }),
  },
  { clause: '6.6.1 Date: in every answer', path, expected: is(200, { date: expect.stringMatching(/ GMT$/) }) },
  { clause: '6.6.1 Date: also of an error', expected: is(400, { date: expect.stringMatching(/ GMT$/) }) },
  {
    clause: '8.3 Content-Type: with the charset, also of an error',
    expected: is(400, { 'content-type': 'application/json; charset=utf-8' }),
  },
  {
    clause: '8.6 Content-Length: of the bytes of the body',
    path,
    expected: ({ headers, bytes }) => expect(headers['content-length']).toBe(String(bytes.length)),
  },
  {
    clause: '8.6 Content-Length: none in a 204',
    sending: { method: 'OPTIONS' },
    expected: ({ status, headers }) => expect([status, headers['content-length']]).toEqual([204, undefined]),
  },
  {
    clause: '8.4 Content-Encoding: of a request that says it has none',
    sending: { ...POSTED, headers: { ...POSTED.headers, 'content-encoding': 'Identity' }, body: BODY },
    expected: LIKE_GET,
  },
  ...['POST', 'QUERY'].flatMap((method) =>
    ['gzip', 'br', 'nonsense', 'gzip, identity'].map((coding) => ({
      clause: `8.4 Content-Encoding: ${method} with ${coding}: none is known`,
      sending: { method, headers: { ...POSTED.headers, 'content-encoding': coding }, body: BODY },
      expected: is(415, { 'accept-encoding': 'identity' }),
    })),
  ),
  { clause: '9.2.1 Safe Methods: GET changes nothing', path: pathOf(MUTATION), expected: is(405, { allow: 'POST' }) },
  {
    clause: '9.2.1 Safe Methods: HEAD changes nothing',
    path: pathOf(MUTATION),
    sending: { method: 'HEAD' },
    expected: is(405, { allow: 'POST' }),
  },
  {
    clause: '9.3.1 GET: a body means nothing',
    path,
    sending: { headers: { 'content-type': 'text/xml', 'content-length': '4' }, body: '<a/>' },
    expected: LIKE_GET,
  },
  ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'].map((method) => ({
    clause: `15.5.6 Method Not Allowed: ${method}`,
    path,
    sending: { method },
    expected: is(405, { allow: 'GET, HEAD, POST, QUERY', 'cache-control': 'private, no-store' }),
  })),
  {
    clause: '9.3.7 OPTIONS: of the API',
    sending: { method: 'OPTIONS' },
    expected: is(204, { allow: 'GET, HEAD, POST, QUERY', 'cache-control': 'no-store' }),
  },
  {
    clause: '10.1.1 Expect: one that nobody knows is ignored',
    path,
    sending: { headers: { expect: 'nonsense' } },
    expected: LIKE_GET,
  },
  {
    clause: '10.2.3 Retry-After: in a 503',
    path,
    sending: { headers: { 'stet-as-of': future } },
    expected: is(503, { 'retry-after': '1' }),
  },
  {
    clause: '11.6.1 WWW-Authenticate: in a 401',
    path,
    sending: { headers: { authorization: 'Bearer nonsense' } },
    expected: is(401, { 'www-authenticate': 'Bearer' }),
  },
  {
    clause: '11.1 Authentication Scheme: another than Bearer',
    path,
    sending: { headers: { authorization: 'Basic eDp5' } },
    expected: is(401, { 'www-authenticate': 'Bearer' }),
  },
  {
    clause: '12.4.2 Quality Values: the higher one wins',
    path,
    sending: { headers: { accept: 'application/json;q=0.5, application/graphql-response+json' } },
    expected: is(200, { 'content-type': 'application/graphql-response+json; charset=utf-8' }),
  },
  {
    clause: '12.5.2 Accept-Charset: ignored',
    path,
    sending: { headers: { 'accept-charset': 'iso-8859-1' } },
    expected: LIKE_GET,
  },
  {
    clause: '12.5.4 Accept-Language: ignored',
    path,
    sending: { headers: { 'accept-language': 'de' } },
    expected: LIKE_GET,
  },
  // See "Where Stet differs".
  { clause: '13.1.1 If-Match: ignored', path, sending: { headers: { 'if-match': '"x"' } }, expected: LIKE_GET },
  {
    clause: '13.1.4 If-Unmodified-Since: ignored, because answers have no Last-Modified',
    path,
    sending: { headers: { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' } },
    expected: LIKE_GET,
  },
  {
    clause: '13.1.5 If-Range: ignored, as ranges are',
    path,
    sending: { headers: { range: 'bytes=0-1', 'if-range': '"x"' } },
    expected: LIKE_GET,
  },
  ...['bytes=0-3', 'bytes=-1', 'bytes=9999999-', 'bytes=0-0,2-2', 'nonsense'].flatMap((range) =>
    ['GET', 'HEAD'].map((method) => ({
      clause: `14.2 Range: ${method} with ${range} is answered in full`,
      path,
      sending: { method, headers: { range } },
      expected: ({ status, headers }: Raw) =>
        expect([status, headers['content-range'], headers['accept-ranges']]).toEqual([200, undefined, undefined]),
    })),
  ),
  ...['', '?', '?utm_source=x', '?query=', '?query&variables={}&operationName=A', '?documentId='].map((search) => ({
    clause: `15.4.4 See Other: a person is led to the playground from /graphql${search}`,
    path: `/graphql${search}`,
    sending: { headers: { accept: 'text/html' } },
    expected: is(303, { location: '/graphiql' }),
  })),
  ...['?query={__typename}', '?query={tags{totalCount}}&utm_source=x'].map((search) => ({
    clause: `15.5.7 Not Acceptable: a page from /graphql${search}`,
    path: `/graphql${search}`,
    sending: { headers: { accept: 'text/html' } },
    expected: is(406),
  })),
  { clause: '15.5.1 Bad Request: no question', expected: is(400) },
  {
    clause: '15.5.7 Not Acceptable: a mutation is not run for a client that takes no answer',
    sending: {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'image/png', authorization: ann },
      body: JSON.stringify({ query: MUTATION }),
    },
    expected: is(406),
  },
  {
    clause: '15.5.14 Content Too Large',
    sending: { ...POSTED, body: JSON.stringify({ query: `{ __typename } #${'x'.repeat(300_000)}` }) },
    expected: is(413),
  },
  {
    clause: '15.5.16 Unsupported Media Type',
    sending: { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<a/>' },
    expected: is(415, { 'accept-query': 'application/json' }),
  },
]

const SENT = `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`

describe('a row', () => {
  it.each(ROWS.map((row) => [row.clause, row] as const))(
    '%s',
    async (_clause, { path = '/graphql', sending, expected }) => {
      // A second time, when the answer may have been kept.
      for (let n = 0; n < 2; n++) expected(await send(path, sending))
    },
  )

  it.each<[clause: string, bytes: string, start: RegExp]>([
    ['7.2 Host: one that is absent', `GET ${path} HTTP/1.1\r\n\r\n`, / 400 /],
    ['7.2 Host: HTTP/1.0 needs none', `GET ${path} HTTP/1.0\r\n\r\n`, / 200 /],
    ['7.2 Host: HTTP/1.0 needs none, of another path', 'GET /healthz HTTP/1.0\r\n\r\n', / 200 /],
    ['7.2 Host: two of them', `GET ${path} HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n`, / 400 /],
    ['7.2 Host: two of them, of another path', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', / 400 /],
    ['7.2 Host: one that names none', `GET ${path} HTTP/1.1\r\nHost: two words\r\n\r\n`, / 400 /],
    ['7.1 Target: in full, as to a proxy', `GET http://a.example${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`, / 200 /],
    ['7.1 Target: a star is for OPTIONS alone', 'GET * HTTP/1.1\r\nHost: a.example\r\n\r\n', / 400 /],
    ['7.1 Target: a star has no question', `POST * HTTP/1.1\r\nHost: a.example\r\n${SENT}`, / 400 /],
    [
      '5.3 Field Order: of two types neither counts',
      `POST /graphql HTTP/1.1\r\nHost: a.example\r\nContent-Type: text/plain\r\n${SENT}`,
      / 415 /,
    ],
    ['9.3.7 OPTIONS: of the server as a whole', 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n', / 204 /],
    // See "Where Stet differs".
    [
      '9.1 Methods: one that Node’s parser does not know',
      `NONSENSE ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
      / 400 /,
    ],
    [
      '10.1.1 Expect: 100-continue',
      `POST /graphql HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\n${SENT}`,
      / 200 /,
    ],
  ])('%s', async (_clause, bytes, start) => {
    const [reply] = await exchange(node.url, [{ bytes }])
    expect(reply?.start).toMatch(start)
  })

  it('9.2.1 Safe Methods: nothing was deleted', async () => {
    expect(await queryOnce(database.url, `select slug from articles where slug = 'published'`)).toHaveLength(1)
  })
})

it('8.8.3 ETag: names an answer by its content: strongly, and each way of sending it by a name of its own', async () => {
  const tags = new Map<string, string>()
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headers = { accept, 'accept-encoding': encoding }
      const { etag, 'content-encoding': sentAs, 'content-type': type } = (await hit(LONG, { headers })).headers
      expect(etag).toMatch(/^"[\w.-]+"$/)
      expect([sentAs ?? 'identity', type]).toEqual([encoding, `${accept}; charset=utf-8`])
      tags.set(String(etag), `${accept} ${encoding}`)
      // However it is asked for: the bytes are the same.
      expect((await ask(LONG, { headers, method: 'POST' })).headers.etag).toBe(etag)
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
])('13.1.2 If-None-Match: answers 304 or not to whoever holds %s', async (_what, given, status) => {
  const { etag } = (await hit(PUBLIC)).headers
  const headers = { 'if-none-match': given(String(etag)) }
  for (const method of ['GET', 'HEAD']) {
    expect((await ask(PUBLIC, { method, headers })).status).toBe(status)
  }
})

it('8.8.3.3 ETag: has no 304 for who holds it compressed otherwise, or of another type', async () => {
  const { etag } = (await hit(LONG, { headers: { 'accept-encoding': 'gzip' } })).headers
  const holding = { 'if-none-match': String(etag) }
  const statusFor = async (headers: Record<string, string>) =>
    (await ask(LONG, { headers: { ...holding, ...headers } })).status
  expect(await statusFor({ 'accept-encoding': 'gzip' })).toBe(304)
  expect(await statusFor({ 'accept-encoding': 'br' })).toBe(200)
  expect(await statusFor({})).toBe(200)
  expect(await statusFor({ 'accept-encoding': 'gzip', accept: 'application/graphql-response+json' })).toBe(200)
})

it('13.2.1, 13.1.3 If-Modified-Since: ignores conditions of a POST, and those about dates', async () => {
  const { etag } = (await hit(PUBLIC)).headers
  expect((await ask(PUBLIC, { method: 'POST', headers: { 'if-none-match': String(etag) } })).status).toBe(200)
  const later = { 'if-modified-since': new Date(Date.now() + 1e8).toUTCString() }
  expect((await ask(PUBLIC, { headers: later })).status).toBe(200)
  expect((await ask(PUBLIC, { headers: { ...later, 'if-none-match': '"another"' } })).status).toBe(200)
  expect((await ask(PUBLIC, { headers: { ...later, 'if-none-match': String(etag) } })).status).toBe(304)
})

it('15.4.5 Not Modified: says with a 304 what the answer would have said of itself, and nothing of bytes that are not sent', async () => {
  for (const [query, headers] of [
    [LONG, { 'accept-encoding': 'gzip' }],
    [PRIVATE, { authorization: ann }],
  ] as const) {
    const full = await hit(query, { headers })
    const {
      status,
      headers: head,
      bytes,
    } = await ask(query, {
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
])('9.3.2 HEAD: as GET, without a body: what is %s', async (_what, query, headers) => {
  await ask(query, { headers })
  const got = await ask(query, { headers })
  const head = await ask(query, { method: 'HEAD', headers })
  expect([head.status, head.bytes.length]).toEqual([got.status, 0])
  expect(got.headers['content-length']).toBe(String(got.bytes.length))
  expect(lasting(head.headers)).toEqual(lasting(got.headers))
})

it.each(['/healthz', '/readyz', '/graphiql', '/nowhere', '/nowhere?query={a}', '/graphiql/assets/nowhere.js', '/%ff'])(
  '9.3.2 HEAD: as GET, without a body: %s',
  async (path) => {
    const [got, head] = [await send(path), await send(path, { method: 'HEAD' })]
    expect([head.status, head.bytes.length, lasting(head.headers)]).toEqual([got.status, 0, lasting(got.headers)])
    expect(got.headers['content-length']).toBe(String(got.bytes.length))
  },
)

it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
  '15.5.6 Method Not Allowed: %s of another path that is there',
  async (method) => {
    for (const path of ['/healthz', '/readyz?x', '/graphiql?x', '/metrics', '/']) {
      is(405, { allow: 'GET, HEAD', 'cache-control': 'no-store' })(await send(path, { method }))
    }
    is(404, { 'cache-control': 'no-store' })(await send('/nowhere', { method }))
  },
)

it('12.5.5 Vary: names all that an answer was chosen by', async () => {
  const names = ['accept', 'accept-encoding', 'authorization', 'stet-as-of', 'stet-explain']
  for (const method of ['GET', 'HEAD', 'POST']) {
    const { headers } = await hit(PUBLIC, { method })
    const vary = String(headers.vary).toLowerCase().split(/, */)
    expect(vary.sort()).toEqual(names)
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
])('12.5.3 Accept-Encoding: compresses as %j asks: %s', async (accepted, expected) => {
  const { headers, bytes } = await hit(LONG, { headers: { 'accept-encoding': accepted } })
  expect(headers['content-encoding'] ?? 'identity').toBe(expected)
  expect(headers['content-length']).toBe(String(bytes.length))
  const text = expected === 'br' ? brotliDecompressSync(bytes) : expected === 'gzip' ? gunzipSync(bytes) : bytes
  expect(text.equals((await hit(LONG)).bytes)).toBe(true)
})

it('12.5.3 Accept-Encoding: sends what is short as it is, but to those who refuse that', async () => {
  const asked = (accepted: string) => hit(PUBLIC, { headers: { 'accept-encoding': accepted } })
  expect((await asked('gzip, br')).headers['content-encoding']).toBeUndefined()
  const { headers, bytes } = await asked('gzip, identity;q=0')
  expect(headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(bytes)).toEqual((await hit(PUBLIC)).bytes)
})

it('8.4 Content-Encoding: compresses an answer once, and only where somebody asks for it', async () => {
  const compressed = async () => {
    const metrics = await readMetrics(node.url)
    return Number(/^stet_cache_load_seconds_count\{kind="response-encoded"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
  }
  const query = '{ tags(first: 99) { nodes { id slug name description } } }'
  const before = await compressed()
  await hit(query)
  expect(await compressed()).toBe(before)
  await Promise.all([1, 2, 3, 4].map(() => ask(query, { headers: { 'accept-encoding': 'br' } })))
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
])('12.5.1 Accept: keeps answers for those who accept %s', async (accept, type) => {
  const { headers } = await hit(PUBLIC, { headers: { accept } })
  expect(headers['content-type']).toBe(`${type}; charset=utf-8`)
  // What is made anew is sent as the same.
  const made = await ask('{ nonsense }', { headers: { accept } })
  expect(made.headers['content-type']).toBe(headers['content-type'])
})

it('15.5.7 Not Acceptable: keeps nothing from being refused that nobody accepts', async () => {
  await hit(PUBLIC)
  for (const accept of ['text/html', 'application/json;q=0', 'application/json;charset=utf-16', 'nonsense']) {
    expect((await ask(PUBLIC, { headers: { accept } })).status).toBe(406)
  }
})

it('13.1.2 If-None-Match: answers 304 after a change and back, and never after another', async () => {
  const query = `{ article(id: "${ids.bobsPublished}") { title summary } }`
  const write = async (title: string) => {
    await queryOnce(database.url, `update articles set title = '${title}' where slug = 'bobs-published'`)
    await node.catchUp()
  }
  const { etag } = (await hit(query)).headers
  const statusFor = async (tag: unknown) => (await ask(query, { headers: { 'if-none-match': String(tag) } })).status
  expect(await statusFor(etag)).toBe(304)
  await write('Changed')
  expect(await statusFor(etag)).toBe(200)
  const changed = (await hit(query)).headers.etag
  expect(changed).not.toBe(etag)
  await write('Published by Bob')
  expect(await statusFor(changed)).toBe(200)
  expect(await statusFor(etag)).toBe(304)
  // Made anew with the same content: still the same.
  await queryOnce(database.url, `select stet.touch('articles')`)
  await node.catchUp()
  expect(await statusFor(etag)).toBe(304)
})
