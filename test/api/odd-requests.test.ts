import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { currentToken, eventually, queryOnce, startTestNode, TEST_JWT_SECRET, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, BOB, ids } from './add-content.ts'

/** Requests for answers that are kept, sent in ways that clients rarely do: whoever asks is given what they would be without a cache. */
const database = await useDatabase()
const node = await useNode({
  database,
  environment: { REQUEST_MAX_BYTES_OF_VISITORS: '4194304', AUTH_MAX_FAILURES: '1000000' },
})
await addContent(database.url)
await node.catchUp()
const ann = `Bearer ${await testToken('author', ANN)}`
const bob = `Bearer ${await testToken('author', BOB)}`
const admin = `Bearer ${await testToken('admin')}`

const QUERY = '{ viewer { email } users { nodes { email } } }'
const BODY = JSON.stringify({ query: QUERY })
const EMAILS = { ann: 'ann@example.com', bob: 'bob@example.com' }
const answerFor = (viewer: 'ann' | 'bob' | 'admin' | 'visitor') => ({
  data: {
    viewer: viewer === 'ann' || viewer === 'bob' ? { email: EMAILS[viewer] } : null,
    users: {
      nodes: (['ann', 'bob'] as const).map((name) => ({
        email: viewer === 'admin' || viewer === name ? EMAILS[name] : null,
      })),
    },
  },
})

interface Reply {
  readonly status: number
  readonly word: string | null
  readonly body: unknown
  readonly headers: Headers
}

async function send(path: string, init: RequestInit): Promise<Reply> {
  const response = await fetch(node.url + path, init)
  const { status, headers } = response
  return { status, word: headers.get('x-cache'), body: await response.json(), headers }
}

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  send('/graphql', {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers: { 'content-type': 'application/json', ...headers },
  })

const get = (path: string, headers: Record<string, string> = {}) => send(path, { headers })

// Everybody's is kept.
for (const authorization of [undefined, ann, bob, admin]) {
  for (let n = 0; n < 2; n++) {
    await post(BODY, authorization === undefined ? {} : { authorization })
    await get(`/graphql?query=${encodeURIComponent(QUERY)}`, authorization === undefined ? {} : { authorization })
  }
}

/** Byte for byte what is written here, on one connection, and all that comes back until the server closes it. */
async function raw(...parts: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.setNoDelay()
  for (const part of parts) {
    socket.write(part)
    // Each part arrives by itself.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return text(socket)
}

/** The bodies of responses that were read from one connection. */
function bodiesOf(replies: string): unknown[] {
  return replies
    .split('HTTP/1.1 ')
    .slice(1)
    .map((reply) => {
      const [, body = ''] = reply.split('\r\n\r\n')
      return JSON.parse(body)
    })
}

const head = (start: string, ...headers: string[]) => `${[start, 'Host: test', ...headers].join('\r\n')}\r\n\r\n`
const GET_URL = `/graphql?query=${encodeURIComponent(QUERY)}`

it('takes each way to write a bearer for the same, and none of them for somebody else', async () => {
  const token = ann.slice('Bearer '.length)
  for (const authorization of [`bearer ${token}`, `BEARER   ${token}`, `Bearer ${token}`]) {
    for (let n = 0; n < 2; n++) {
      expect((await post(BODY, { authorization })).body).toEqual(answerFor('ann'))
    }
  }
  for (const authorization of [token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token} ${token}`, `Bearer`]) {
    expect((await post(BODY, { authorization })).status).toBe(401)
    expect((await get(GET_URL, { authorization })).status).toBe(401)
  }
  for (const [first, second] of [
    [ann, bob],
    [bob, ann],
    [ann, ann],
  ]) {
    const both = [`Authorization: ${first}`, `Authorization: ${second}`, 'Connection: close']
    expect(await raw(head(`GET ${GET_URL} HTTP/1.1`, ...both))).toMatch(/^HTTP\/1\.1 401 /)
  }
})

it('forgets a token when it expires, though it has remembered who that is', async () => {
  const exp = Math.floor(Date.now() / 1000) + 2
  const token = await new SignJWT({ role: 'admin', exp })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(TEST_JWT_SECRET))
  const authorization = `Bearer ${token}`
  expect((await post(BODY, { authorization })).body).toEqual(answerFor('admin'))
  await eventually(async () => {
    const before = Date.now()
    const { status, body } = await post(BODY, { authorization })
    if (before >= exp * 1000) {
      expect(status).toBe(401)
      return true
    }
    if (status === 200) expect(body).toEqual(answerFor('admin'))
    return false
  })
  expect((await get(GET_URL, { authorization })).status).toBe(401)
})

it('reads the question of a GET from its URL, whatever else it carries', async () => {
  const body = JSON.stringify({ query: '{ __typename }' })
  const headers = ['Content-Type: application/json', `Content-Length: ${body.length}`]
  const replies = await raw(
    head(`GET ${GET_URL} HTTP/1.1`, `Authorization: ${ann}`, ...headers) + body,
    head(`GET ${GET_URL} HTTP/1.1`, `Authorization: ${bob}`, ...headers) + body,
    head(`GET ${GET_URL} HTTP/1.1`, 'Connection: close'),
  )
  expect(bodiesOf(replies)).toEqual([answerFor('ann'), answerFor('bob'), answerFor('visitor')])
})

it('reads the question of a POST from its body, whatever its URL says', async () => {
  for (const path of ['/graphql?query={__typename}', '/graphql?', `${GET_URL}&operationName=Other`]) {
    for (let n = 0; n < 2; n++) {
      const { body } = await send(path, {
        method: 'POST',
        body: BODY,
        headers: { 'content-type': 'application/json', authorization: ann },
      })
      expect(body).toEqual(answerFor('ann'))
    }
  }
})

it.each([
  ['in full, as to a proxy', (url: string) => `${url}/graphql`],
  ['with escapes', () => '/%67raphql'],
])('takes a path that is written %s', async (_what, written) => {
  const body = ['Content-Type: application/json', `Content-Length: ${BODY.length}`]
  const other = JSON.stringify({ query: '{ tags { totalCount } }' })
  const target = written(node.url)
  const replies = await raw(
    head(`POST ${target} HTTP/1.1`, `Authorization: ${ann}`, ...body) + BODY,
    head(`POST ${target} HTTP/1.1`, `Authorization: ${bob}`, ...body) + BODY,
    head(`POST ${target} HTTP/1.1`, 'Content-Type: application/json', `Content-Length: ${other.length}`) + other,
    head(`GET ${target}?query=${encodeURIComponent(QUERY)} HTTP/1.1`, `Authorization: ${admin}`, 'Connection: close'),
  )
  expect(bodiesOf(replies)).toEqual([
    answerFor('ann'),
    answerFor('bob'),
    { data: { tags: { totalCount: 2 } } },
    answerFor('admin'),
  ])
})

it.each([
  ['the query', `${GET_URL}&query=${encodeURIComponent(QUERY)}`],
  ['the name', `${GET_URL}&operationName=A&operationName=A`],
  ['the variables', `${GET_URL}&variables={}&variables={}`],
  ['the extensions', `${GET_URL}&extensions={}&extensions={}`],
])('refuses %s twice in a URL, each time', async (_what, path) => {
  for (let n = 0; n < 3; n++) expect((await get(path, { authorization: ann })).status).toBe(400)
})

it('takes no name for no name, and an empty one in JSON for one that there is not', async () => {
  for (let n = 0; n < 3; n++) {
    expect((await post(JSON.stringify({ query: QUERY, operationName: null }))).body).toEqual(answerFor('visitor'))
    expect((await get(`${GET_URL}&operationName=`)).body).toEqual(answerFor('visitor'))
    const { body } = await post(JSON.stringify({ query: QUERY, operationName: '' }))
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }] })
  }
})

it('tells variables apart that only look the same', async () => {
  const query = 'query ($n: Int) { tags(first: $n) { totalCount } }'
  const withVariables = (variables: string) => post(`{"query": ${JSON.stringify(query)}, "variables": ${variables}}`)
  const ANSWER = { data: { tags: { totalCount: 2 } } }
  for (let n = 0; n < 2; n++) {
    for (const fine of ['{}', '{"n": null}', '{"n": 1}', '{"n": 1.0}', '{"n": 1, "more": 2}']) {
      expect([fine, (await withVariables(fine)).body]).toEqual([fine, ANSWER])
    }
    for (const wrong of ['{"n": 1e999}', '{"n": -1e999}', '{"n": "1"}', '{"n": [null]}', '{"n": {}}', '{"n": true}']) {
      const { body } = await withVariables(wrong)
      expect([wrong, body]).toMatchObject([wrong, { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }])
    }
  }
})

it('reads a body in whatever pieces it comes', async () => {
  const query = '{ viewer { email } users { nodes { email } } } # ü 日本 \u{1f98a}'
  const bytes = Buffer.from(JSON.stringify({ query }))
  const start = head(
    'POST /graphql HTTP/1.1',
    `Authorization: ${bob}`,
    'Content-Type: application/json',
    'Connection: close',
    `Content-Length: ${bytes.length}`,
  )
  const single = [...bytes].map((byte) => Buffer.from([byte]))
  for (let n = 0; n < 2; n++) {
    expect(bodiesOf(await raw(start, ...single))).toEqual([answerFor('bob')])
    expect(bodiesOf(await raw(...[...start].map(String), bytes))).toEqual([answerFor('bob')])
  }
  const chunked = head(
    'POST /graphql HTTP/1.1',
    `Authorization: ${bob}`,
    'Content-Type: application/json',
    'Connection: close',
    'Transfer-Encoding: chunked',
  )
  const chunks = [...bytes].map((byte) =>
    Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]),
  )
  expect(bodiesOf(await raw(chunked, ...chunks, '0\r\n\r\n'))).toEqual([answerFor('bob')])
})

it('keeps what begins with a byte order mark, and refreshes it too', async () => {
  const marked = Buffer.concat([
    Buffer.from([0xef, 0xbb, 0xbf]),
    Buffer.from('{"query": "{ tags(first: 2) { nodes { name } } }"}'),
  ])
  const ANSWER = { data: { tags: { nodes: [{ name: 'Cats' }, { name: 'Dogs' }] } } }
  expect((await post(marked)).body).toEqual(ANSWER)
  expect(await post(marked)).toMatchObject({ word: 'HIT', body: ANSWER })
  await node.admin.get('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
  expect(await post(marked)).toMatchObject({ word: 'STALE', body: ANSWER })
  await eventually(async () => (await post(marked)).word === 'HIT')
})

it('answers those who share a connection in their order, each with their own', async () => {
  const both = ['Content-Type: application/json', `Content-Length: ${BODY.length}`]
  const asked = Array.from(
    { length: 60 },
    (_, n) => (['ann', 'visitor', 'bob', 'admin'] as const)[(n * 7) % 4] ?? 'ann',
  )
  const bearers = { ann, bob, admin, visitor: undefined }
  const all = asked.map((who, n) => {
    const authorization = bearers[who] === undefined ? [] : [`Authorization: ${bearers[who]}`]
    const last = n === asked.length - 1 ? ['Connection: close'] : []
    // Some that are kept, some that are not.
    const more = n % 5 === 0 ? ['Cache-Control: no-cache'] : []
    return n % 2 === 0
      ? head(`GET ${GET_URL} HTTP/1.1`, ...authorization, ...more, ...last)
      : head('POST /graphql HTTP/1.1', ...authorization, ...more, ...last, ...both) + BODY
  })
  expect(bodiesOf(await raw(all.join('')))).toEqual(asked.map(answerFor))
})

it('goes on after uploads that are broken off, or are too large', async () => {
  const { hostname, port } = new URL(node.url)
  for (let n = 0; n < 20; n++) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      head('POST /graphql HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 1000') + BODY.slice(0, n),
    )
    await once(n % 2 === 0 ? socket.end().resume() : socket.destroy(), 'close')
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const upload = async (body: Buffer) => {
    const sent = request(`${node.url}/graphql`, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    sent.end(body)
    const [response] = await once(sent, 'response')
    return [response.statusCode, await json(response)]
  }
  const tooLarge = Buffer.alloc(4 * 1024 * 1024 + 1, BODY.padEnd(1000))
  for (let n = 0; n < 2; n++) {
    expect(await upload(tooLarge)).toMatchObject([413, { errors: [{ extensions: { code: 'REQUEST_TOO_LARGE' } }] }])
    expect(await upload(Buffer.from(BODY.padEnd(4 * 1024 * 1024)))).toEqual([200, answerFor('visitor')])
  }
  agent.destroy()
})

it('looks at Stet-As-Of before it looks at what it keeps', async () => {
  const query = '{ article(slug: "bobs-published") { title } }'
  const url = `/graphql?query=${encodeURIComponent(query)}`
  const asOf = (token: string) => get(url, { 'stet-as-of': token })
  await get(url)
  const { headers, word } = await get(url)
  const token = String(headers.get('stet-as-of'))
  expect(word).toBe('HIT')
  const [position, epoch] = token.split('.')
  expect(await asOf(token)).toMatchObject({ status: 200, word: 'HIT' })
  expect(await asOf(`1.${epoch}`)).toMatchObject({ status: 200, word: 'HIT' })
  expect((await asOf('1.abcdef')).status).toBe(200)
  expect((await asOf(`${Number(position) + 1000}.${epoch}`)).status).toBe(503)
  for (const wrong of ['x', `${token}, ${token}`, `${token}.1`, '-1.abcdef'])
    expect((await asOf(wrong)).status).toBe(400)
  await queryOnce(database.url, `update articles set title = 'Newer' where id = 4`)
  expect(await asOf(await currentToken(database.url))).toMatchObject({
    body: { data: { article: { title: 'Newer' } } },
  })
})

it('answers from what it keeps while it closes, and says that the connection ends', async () => {
  const closing = await startTestNode({ databaseUrl: database.url, environment: { SHUTDOWN_DELAY_MS: '1000' } })
  const ask = () => fetch(closing.url + GET_URL, { headers: { authorization: ann } })
  await (await ask()).text()
  await (await ask()).text()
  const closed = closing.close()
  for (let n = 0; n < 3; n++) {
    const answer = await ask()
    expect([answer.headers.get('x-cache'), answer.headers.get('connection')]).toEqual(['HIT', 'close'])
    expect(await answer.json()).toEqual(answerFor('ann'))
  }
  const held = await ask().then((answer) => answer.headers.get('etag'))
  const unchanged = await fetch(closing.url + GET_URL, {
    headers: { authorization: ann, 'if-none-match': String(held) },
  })
  expect([unchanged.status, unchanged.headers.get('connection')]).toEqual([304, 'close'])
  await closed
  await expect(ask()).rejects.toThrow()
})

const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

it(`gives whatever sends a visitor's headers a visitor's answer, however odd they are (TEST_SEED=${seed})`, async () => {
  const odd = fc.oneof(
    fc.string({ unit: fc.constantFrom(...' ",;=*/-.q01WabQ%\t\u00fc\u0080'), maxLength: 20 }),
    fc.constantFrom(
      '*',
      '*/*',
      'W/"x"',
      'identity;q=0',
      'application/json',
      'gzip, br',
      'no-cache',
      '__proto__',
      ',,,',
    ),
  )
  const names = [
    'accept',
    'accept-encoding',
    'if-none-match',
    'x-request-id',
    'stet-as-of',
    'authorization',
    'cache-control',
    'host',
    'content-type',
    'range',
    'cookie',
    'te',
    'forwarded',
    'x-forwarded-for',
  ]
  const headers = fc.dictionary(fc.constantFrom(...names), odd, { maxKeys: 4, noNullPrototype: true })
  const property = fc.asyncProperty(headers, fc.boolean(), async (given, isPost) => {
    const sent = request(`${node.url}${isPost ? '/graphql' : GET_URL}`, {
      method: isPost ? 'POST' : 'GET',
      headers: { ...(isPost && { 'content-type': 'application/json' }), ...given },
    }).end(isPost ? BODY : undefined)
    const [response] = await once(sent, 'response')
    expect([200, 304, 400, 401, 406, 415, 503]).toContain(response.statusCode)
    const encoded = response.headers['content-encoding'] !== undefined
    const body = await text(response)
    if (response.statusCode === 200 && !encoded) expect(JSON.parse(body)).toEqual(answerFor('visitor'))
    expect(body).not.toContain('@example.com')
  })
  await fc.assert(property, { seed, numRuns: 300 })
  expect((await get(GET_URL)).word).toBe('HIT')
})

it('keeps what one viewer sent apart from what another did, for the same object', async () => {
  // Two spellings of one question, and one question of two: by who asks alone they differ.
  const spellings = [
    `{node(id:"${ids.ann}"){...on User{email}}}`,
    `query { node(id: "${ids.ann}") { ... on User { email } } } # again`,
  ]
  for (let n = 0; n < 3; n++) {
    for (const query of spellings) {
      for (const [authorization, email] of [
        [ann, EMAILS.ann],
        [bob, null],
        [admin, EMAILS.ann],
      ] as const) {
        for (const reply of [
          await post(JSON.stringify({ query }), { authorization }),
          await get(`/graphql?query=${encodeURIComponent(query)}`, { authorization }),
        ]) {
          expect(reply.body).toEqual({ data: { node: { email } } })
        }
      }
      expect((await post(JSON.stringify({ query }))).body).toEqual({ data: { node: { email: null } } })
    }
  }
})
