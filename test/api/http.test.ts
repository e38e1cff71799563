import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, it } from '@jest/globals'
import pg from 'pg'
import {
  eventually,
  type GraphQLClient,
  queryOnce,
  readMetrics,
  sharedServers,
  startFaultProxy,
  startTestNode,
  testToken,
} from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database, environment: { REQUEST_MAX_BYTES_OF_VISITORS: '4194304' } })
await addContent(database.url)
await node.catchUp()

const QUERY = '{ articles { totalCount } }'
const ANSWER = { data: { articles: { totalCount: 2 } } }

const get = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${node.url}/graphql?${new URLSearchParams(parameters)}`, { headers })

const post = (body: string | undefined, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  fetch(`${node.url}/graphql`, { method: 'POST', headers, ...(body !== undefined && { body }) })

it('answers queries by POST and by GET', async () => {
  expect(await (await post(JSON.stringify({ query: QUERY }))).json()).toEqual(ANSWER)
  expect(await (await get({ query: QUERY })).json()).toEqual(ANSWER)
  const named = { query: 'query A { tags { totalCount } } query B { users { totalCount } }', operationName: 'B' }
  expect(await (await get(named)).json()).toEqual({ data: { users: { totalCount: 2 } } })
  const variables = { query: 'query ($n: Int) { tags(first: $n) { nodes { slug } } }', variables: '{"n":1}' }
  expect(await (await get(variables)).json()).toEqual({ data: { tags: { nodes: [{ slug: 'cats' }] } } })
})

it.each(['UTF-8', 'utf8', '"utf-8"', 'UTF-8; profile=x'])('takes a body that says it is in %s', async (charset) => {
  for (let n = 0; n < 3; n++) {
    const answer = await post(JSON.stringify({ query: QUERY }), {
      'content-type': `application/json; charset=${charset}`,
    })
    expect([answer.status, await answer.json()]).toEqual([200, ANSWER])
  }
  const other = await post(JSON.stringify({ query: QUERY }), { 'content-type': 'application/json; charset=latin1' })
  expect(other.status).toBe(415)
})

it('takes parameters of a URL that are empty for absent, kept or not', async () => {
  for (let n = 0; n < 2; n++) {
    for (const search of [
      'operationName=',
      'variables=',
      'extensions=',
      'documentId=',
      'variables=&operationName=&extensions=',
      'variables',
      'operationName&extensions=',
      'variables=null',
      'extensions=null&variables=',
      'variables=null&extensions=null&operationName=&documentId',
    ]) {
      const answer = await fetch(`${node.url}/graphql?${search}&query=${encodeURIComponent(QUERY)}`)
      expect([search, answer.status, await answer.json()]).toEqual([search, 200, ANSWER])
    }
  }
  // What is not empty still counts.
  const named = await get({ query: 'query A { __typename } query B { __typename }', operationName: 'B', variables: '' })
  expect(await named.json()).toEqual({ data: { __typename: 'Query' } })
  for (const variables of [' ', 'nul', '[null]', '"null"']) {
    expect((await get({ query: QUERY, variables })).status).toBe(400)
  }
})

it('answers in the media type that is asked for', async () => {
  const answer = await get({ query: QUERY }, { accept: 'application/graphql-response+json' })
  expect(answer.headers.get('content-type')).toContain('application/graphql-response+json')
  expect((await get({ query: QUERY })).headers.get('content-type')).toContain('application/json')
})

it('refuses to change anything by GET', async () => {
  const answer = await get(
    { query: `mutation { deleteArticle(id: "${ids.published}") { deletedId } }` },
    { authorization: `Bearer ${await testToken('admin')}` },
  )
  expect(answer.status).toBe(405)
  expect(answer.headers.get('allow')).toBe('POST')
  expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  expect(await (await get({ query: QUERY })).json()).toEqual(ANSWER)
})

it('changes nothing if the client takes no answer in JSON', async () => {
  const body = JSON.stringify({ query: `mutation { deleteArticle(id: "${ids.published}") { deletedId } }` })
  const answer = await post(body, { ...accepting('text/html'), authorization: `Bearer ${await testToken('admin')}` })
  expect(answer.status).toBe(406)
  expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  expect(await (await get({ query: QUERY })).json()).toEqual(ANSWER)
})

const BAD_REQUESTS: [what: string, status: number, send: () => Promise<Response>][] = [
  ['a body that is not JSON', 400, () => post('{"query": ')],
  ['an empty body', 400, () => post('')],
  ['no body', 400, () => post(undefined, {})],
  ['a body that is null', 400, () => post('null')],
  ['a body that is a text', 400, () => post('"{ viewer { id } }"')],
  ['several operations at once', 400, () => post(JSON.stringify([{ query: QUERY }, { query: QUERY }]))],
  ['an empty list', 400, () => post('[]')],
  ['no query', 400, () => post('{}')],
  ['a query that is no text', 400, () => post('{"query": 1}')],
  ['variables that are a list', 400, () => post(`{"query": "${QUERY}", "variables": [1]}`)],
  ['a prototype', 400, () => post('{"query": "{ viewer { id } }", "__proto__": {"admin": true}}')],
  ['another type than JSON', 415, () => post('<query/>', { 'content-type': 'application/xml' })],
  ...['iso-8859-1', 'utf-16', '"windows-1252"', 'us-ascii', 'utf-8; charset=latin1', ''].map(
    (charset): [string, number, () => Promise<Response>] => [
      `JSON that says it is in ${charset || 'an empty charset'}`,
      415,
      () => post(JSON.stringify({ query: QUERY }), { 'content-type': `application/json; charset=${charset}` }),
    ],
  ),
  ['a URL that is not UTF-8', 400, () => fetch(`${node.url}/graphql?query=%7B__typename%7D%23%ff`)],
  [
    'a URL in Latin-1',
    400,
    () => fetch(`${node.url}/graphql?query=%7B__typename%7D&variables=%7B%22a%22:%22%e9%22%7D`),
  ],
  ['a URL with half of a surrogate pair', 400, () => fetch(`${node.url}/graphql?query=%7B__typename%7D%23%ed%a0%80`)],
  ['a form', 415, () => post('query=x', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['plain text', 400, () => post(JSON.stringify({ query: QUERY }), { 'content-type': 'text/plain' })],
  ['a body that is too large', 413, () => post(JSON.stringify({ query: QUERY, extra: 'x'.repeat(4 * 1024 * 1024) }))],
  ['GET without a query', 400, () => get({})],
  ['GET by a browser', 406, () => get({}, { accept: 'text/html' })],
  ['GET with variables that are not JSON', 400, () => get({ query: QUERY, variables: '{' })],
]

/** Understood as a request; what is asked cannot be done. */
const BAD_QUESTIONS: [what: string, body: string][] = [
  ['an operation there is not', JSON.stringify({ query: `query A ${QUERY}`, operationName: 'B' })],
  ['an operation without a name', JSON.stringify({ query: QUERY, operationName: '' })],
  ['a document that does not parse', JSON.stringify({ query: '{' })],
  ['a field there is not', JSON.stringify({ query: '{ password }' })],
]

/** Refused before it is understood. */
const TOO_MUCH: [what: string, body: string][] = [
  ['more tokens than a document may have', JSON.stringify({ query: `{ ${'a '.repeat(10_001)} }` })],
  ['a document nested without end', JSON.stringify({ query: '{a'.repeat(500_000) })],
]

const accepting = (accept: string) => ({ 'content-type': 'application/json', accept })

// Whoever takes plain JSON may know nothing of status codes (GraphQL over HTTP, section 6.4.1).
BAD_REQUESTS.push(
  ...BAD_QUESTIONS.flatMap(([what, body]): typeof BAD_REQUESTS => [
    [what, 400, () => post(body, accepting('application/graphql-response+json'))],
    [`${what}, in plain JSON`, 200, () => post(body, accepting('application/json'))],
    [`${what}, in any type`, 200, () => post(body)],
  ]),
  ...TOO_MUCH.flatMap(([what, body]): typeof BAD_REQUESTS => [
    [what, 400, () => post(body, accepting('application/graphql-response+json'))],
    [`${what}, in plain JSON`, 400, () => post(body, accepting('application/json'))],
    [`${what}, in any type`, 400, () => post(body)],
  ]),
)

it.each(BAD_REQUESTS)('explains what is wrong with %s', async (_what, status, send) => {
  const answer = await send()
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toMatch(/json/)
  expect(answer.headers.get('x-request-id')).toBeTruthy()
  const body = (await answer.json()) as { errors: { message: string; extensions: { code: string } }[] }
  for (const { message, extensions } of body.errors) {
    expect(extensions.code).toMatch(
      /^(BAD_REQUEST|REQUEST_TOO_LARGE|GRAPHQL_\w+_FAILED|OPERATION_RESOLUTION_FAILURE|QUERY_TOO_COMPLEX)$/,
    )
    expect(message).not.toBe('')
  }
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\/src\/|at \w+ \(/)
})

it.each(['PUT', 'DELETE', 'PATCH'])('refuses %s, and says what it takes', async (method) => {
  for (const path of ['/graphql', '/%67raphql', `/graphql?query=${encodeURIComponent(QUERY)}`]) {
    const answer = await fetch(node.url + path, { method })
    const { headers } = answer
    expect([answer.status, headers.get('allow')]).toEqual([405, 'GET, HEAD, POST, QUERY'])
    expect([headers.get('accept-query'), headers.get('cache-control')]).toEqual([
      'application/json',
      'private, no-store',
    ])
    expect(answer.headers.get('stet-as-of')).toMatch(/^\d+\.[0-9a-f]+$/)
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  }
})

it('says by OPTIONS what it takes', async () => {
  const answer = await fetch(`${node.url}/graphql`, { method: 'OPTIONS' })
  expect([answer.status, answer.headers.get('allow'), await answer.text()]).toEqual([204, 'GET, HEAD, POST, QUERY', ''])
  expect(answer.headers.get('accept-query')).toBe('application/json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  // RFC 9110, section 8.6.
  expect(answer.headers.has('content-length')).toBe(false)
})

it('leads a person who opens the API in a browser to the playground, and nobody else', async () => {
  const playing = await useNode({ database, environment: { PLAYGROUND: 'on' } })
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    fetch(playing.url + path, { method, headers, redirect: 'manual' })
  const chromium = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
  for (const [path, accept] of [
    ['/graphql', chromium],
    ['/graphql?', 'text/html'],
    ['/%67raphql', 'text/html, application/json;q=0.9'],
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await ask(path, { accept }, method)
      expect([status, headers.get('location')]).toEqual([303, '/graphiql'])
      expect([headers.get('vary'), headers.get('cache-control')]).toEqual(['Accept', 'no-store'])
    }
  }
  const query = `/graphql?query=${encodeURIComponent(QUERY)}`
  for (const [path, accept, status] of [
    ['/graphql', '*/*', 400],
    ['/graphql', 'application/json, text/html', 400],
    ['/graphql', 'application/json, */*', 400],
    [query, chromium, 200],
    [query, chromium, 200],
    [query, 'text/html', 406],
  ] as const) {
    expect([path, accept, (await ask(path, { accept })).status]).toEqual([path, accept, status])
  }
  // Where it is off, nobody.
  expect((await fetch(`${node.url}/graphql`, { headers: { accept: chromium }, redirect: 'manual' })).status).toBe(400)
})

it.each([
  ['half of a character', [0xc3]],
  ['a byte that UTF-8 has not', [0xff]],
  ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
  ['Latin-1', [0xfc, 0x62, 0x65, 0x72]],
])('refuses a body that is not UTF-8: %s', async (_what, bytes) => {
  const [before = '', after = ''] = JSON.stringify({ query: QUERY, variables: { text: '|' } }).split('|')
  const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
  const answer = await fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Uint8Array(body),
  })
  expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ message: 'The body is not UTF-8.' }] }])
})

it('refuses a host that is none', async () => {
  for (const host of ['[', 'two words']) {
    const sent = request(`${node.url}/graphql?query=${encodeURIComponent(QUERY)}`, { headers: { host } }).end()
    const [response] = await once(sent, 'response')
    expect([response.statusCode, await json(response)]).toMatchObject([
      400,
      { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    ])
  }
})

it('echoes the id of a request, and makes one where it has none that will do', async () => {
  const idOf = async (given?: string) =>
    (await get({ query: QUERY }, given === undefined ? {} : { 'x-request-id': given })).headers.get('x-request-id')
  expect(await idOf('trace-1:a/b+c=.')).toBe('trace-1:a/b+c=.')
  const made = await Promise.all([idOf(), idOf(''), idOf('two words'), idOf('x'.repeat(201)), idOf('<script>')])
  for (const id of made) expect(id).toMatch(/^[0-9a-f-]{36}-[0-9a-z]+$/)
  expect(new Set(made).size).toBe(made.length)
})

it('reads through to the database for whoever is signed in and asks for it', async () => {
  const loads = async () => {
    const metrics = await readMetrics(node.url)
    return Number(/^stet_cache_load_seconds_count\{kind="article-count"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
  }
  const noCache = { 'cache-control': 'no-cache' }
  const added = async (client: GraphQLClient, headers: Record<string, string>) => {
    await client.get('{ articles(filter: { tag: "dogs", status: PUBLISHED }) { totalCount } }')
    const before = await loads()
    await client.get('{ articles(filter: { tag: "dogs", status: PUBLISHED }) { totalCount } }', {}, headers)
    return (await loads()) - before
  }
  expect(await added(node.admin, {})).toBe(0)
  expect(await added(node.admin, noCache)).toBe(1)
  expect(await added(node.visitor, noCache)).toBe(0)
})

it('is alive, ready and measured', async () => {
  const text = async (path: string) => {
    const answer = await fetch(node.url + path)
    return [answer.status, await answer.text()]
  }
  expect(await text('/healthz')).toEqual([200, 'ok\n'])
  await eventually(async () =>
    expect(await text('/readyz')).toEqual([200, 'server: ok\npostgresql: ok\nlog: ok\nnotify: ok\ntriggers: ok\n']),
  )
  const metrics = await readMetrics(node.url)
  for (const name of [
    'stet_cache_requests_total',
    'stet_sql_statements_total',
    'stet_ledger_position',
    'process_cpu_seconds_total',
  ]) {
    expect(metrics).toContain(`# TYPE ${name} `)
  }
  expect((await text('/nowhere'))[0]).toBe(404)
})

it.each(['cut', 'stall'] as const)(
  'is alive but not ready while PostgreSQL is gone (%s), and ready again after',
  async (fault) => {
    const { hostname, port } = new URL(sharedServers().postgresUrl)
    const proxy = await startFaultProxy({ host: hostname, port: Number(port || 5432) })
    const remote = await startTestNode({ databaseUrl: proxy.through(database.url) })
    try {
      await proxy[fault]()
      const ready = await fetch(`${remote.url}/readyz`)
      expect([ready.status, await ready.text()]).toEqual([
        503,
        expect.stringMatching(/^server: ok\npostgresql: failing\nlog: /),
      ])
      expect((await fetch(`${remote.url}/healthz`)).status).toBe(200)
      await proxy.restore()
      await eventually(async () => (await fetch(`${remote.url}/readyz`)).status === 200)
    } finally {
      await proxy.restore()
      await remote.close()
      await proxy.close()
    }
  },
)

it('says that Redis fails, and is ready all the same', async () => {
  const { hostname, port } = new URL(sharedServers().redisUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port || 6379) })
  const remote = await startTestNode({ databaseUrl: database.url, redisUrl: proxy.through(sharedServers().redisUrl) })
  try {
    await eventually(async () => (await (await fetch(`${remote.url}/readyz`)).text()).includes('redis: ok'))
    await proxy.cut()
    const ready = await fetch(`${remote.url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([
      200,
      expect.stringMatching(/^server: ok\npostgresql: ok\nredis: failing\nlog: ok\nredis subscriber: failing\n/),
    ])
  } finally {
    await proxy.restore()
    await remote.close()
    await proxy.close()
  }
})

it('lets requests in flight finish when it closes, and accepts no more', async () => {
  await whileLocked(async (release) => {
    const closing = await startTestNode({ databaseUrl: database.url, environment: PATIENT })
    const answer = closing.visitor.send(QUERY)
    await aStatementWaits()
    const closed = closing.close()
    await eventually(() =>
      fetch(`${closing.url}/healthz`).then(
        () => false,
        () => true,
      ),
    )
    await release()
    expect(await answer).toMatchObject({ status: 200, ...ANSWER })
    await closed
  })
})

it('cuts off what takes longer than it may', async () => {
  await whileLocked(async (release) => {
    const closing = await startTestNode({ databaseUrl: database.url, environment: { SHUTDOWN_TIMEOUT_MS: '50' } })
    const answer = closing.visitor.send(QUERY).then(
      () => 'answered',
      () => 'cut off',
    )
    await aStatementWaits()
    const closed = closing.close()
    expect(await answer).toBe('cut off')
    await release()
    await closed
  })
})

it('says that it is not ready before it stops accepting', async () => {
  const closing = await startTestNode({ databaseUrl: database.url, environment: { SHUTDOWN_DELAY_MS: '1000' } })
  expect((await fetch(`${closing.url}/readyz`)).status).toBe(200)
  const closed = closing.close()
  const ready = await fetch(`${closing.url}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([
    503,
    expect.stringMatching(/^server: closing\npostgresql: ok\nlog: ok\n/),
  ])
  expect(await closing.visitor.send(QUERY)).toMatchObject({ status: 200, ...ANSWER })
  await closed
})

it('does not wait for connections that are kept alive for nothing', async () => {
  const closing = await startTestNode({ databaseUrl: database.url, environment: PATIENT })
  const agent = new Agent({ keepAlive: true })
  const [response] = await once(
    request(`${closing.url}/graphql?query=${encodeURIComponent(QUERY)}`, { agent }).end(),
    'response',
  )
  expect(await json(response)).toEqual(ANSWER)
  await closing.close()
  agent.destroy()
})

/** Nothing is cut off: whoever waits for a connection to end by itself waits longer than a test may take. */
const PATIENT = { SHUTDOWN_TIMEOUT_MS: '600000' }

/** Nobody reads an article until `release` is called. */
async function whileLocked(work: (release: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await client.query('begin; lock table articles in access exclusive mode')
    await work(() => client.query('rollback'))
  } finally {
    await client.end()
  }
}

/** In this database: others on the server wait for locks of their own. */
const aStatementWaits = () =>
  eventually(async () => {
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    return (await queryOnce(database.url, waiting)).length > 0
  })
