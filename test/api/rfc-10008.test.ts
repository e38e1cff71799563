import { hash } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { queryOnce, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** RFC 10008, QUERY, a GET whose question stands in its body: a test begins with its section. `docs/standards.md` lists them. */
const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await node.catchUp()
const admin = `Bearer ${await testToken('admin')}`
const ann = `Bearer ${await testToken('author', ANN)}`

interface Sent {
  readonly headers?: Record<string, string>
  readonly method?: string
  readonly path?: string
}

async function send(body: unknown, { headers = {}, method = 'QUERY', path = '/graphql' }: Sent = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const init = { method, headers: { 'content-type': 'application/json', ...headers }, body: text }
  const response = await fetch(node.url + path, init)
  const answer = await response.text()
  return { status: response.status, headers: response.headers, body: answer === '' ? undefined : JSON.parse(answer) }
}

const TITLE = '{ article(slug: "published") { title } }'

it('2 QUERY: answers as a POST does', async () => {
  for (const body of [
    { query: TITLE },
    { query: 'query A { __typename } query B { tags { totalCount } }', operationName: 'B' },
    { query: 'query ($n: Int) { tags(first: $n) { nodes { slug } } }', variables: { n: 1 } },
    { query: '{ viewer { email } }' },
    { query: '{ nonsense }' },
    { query: '{' },
    {},
    [],
    [{ query: TITLE }],
    { query: 1 },
    { query: TITLE, variables: '{}' },
    { query: TITLE, variables: [1] },
    { query: TITLE, operationName: 1 },
    { query: TITLE, operationName: 'Other' },
    'null',
    '{"query": ',
    '',
  ]) {
    const all: Record<string, string>[] = [{}, { authorization: ann }, { accept: 'application/graphql-response+json' }]
    for (const headers of all) {
      const [query, post] = [await send(body, { headers }), await send(body, { headers, method: 'POST' })]
      expect([body, query.status, query.body]).toEqual([body, post.status, post.body])
    }
  }
})

it('2 QUERY: reads the question from the body alone', async () => {
  const path = `/graphql?query=${encodeURIComponent('{ tags { totalCount } }')}`
  for (let n = 0; n < 2; n++) {
    expect((await send({ query: TITLE }, { path })).body).toEqual({ data: { article: { title: 'Published' } } })
  }
})

it('2 Caching: keeps its answer from the first time on, as of a GET', async () => {
  const body = { query: '{ user(username: "ann") { displayName } }' }
  const first = await send(body)
  expect(first.headers.get('cache-status')).toBe('stet; fwd=miss; stored')
  const second = await send(body)
  expect(second.headers.get('x-cache')).toBe('HIT')
  expect(second.headers.get('cache-status')).toMatch(/^stet; hit; ttl=\d+; detail=memory$/)
  expect(second.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
  expect(second.body).toEqual(first.body)
})

it('2 Conditional Requests: is answered 304 by its entity tag, and in full once that is written', async () => {
  const body = { query: `{ article(id: "${ids.bobsPublished}") { title } }` }
  await send(body)
  const full = await send(body)
  const headers = { 'if-none-match': String(full.headers.get('etag')) }
  const same = await send(body, { headers })
  expect([same.status, same.body]).toEqual([304, undefined])
  for (const name of ['etag', 'vary', 'cache-control', 'surrogate-key']) {
    expect(same.headers.get(name)).toBe(full.headers.get(name))
  }
  // A POST has no conditions.
  expect((await send(body, { headers, method: 'POST' })).status).toBe(200)
  await queryOnce(database.url, `update articles set title = 'Changed' where slug = 'bobs-published'`)
  await node.catchUp()
  expect((await send(body, { headers })).body).toEqual({ data: { article: { title: 'Changed' } } })
})

it('2 Caching: never gives two bodies the same answer', async () => {
  const query = 'query ($n: Int) { tags(first: $n) { nodes { slug } } }'
  const bodies = [
    { query, variables: { n: 1 } },
    { query, variables: { n: 2 } },
    { query: '{ t: tags { totalCount } }' },
    { query: '{ tags { totalCount } a: __typename }' },
    { query: 'query A { tags { totalCount } } query B { users { totalCount } }', operationName: 'A' },
    { query: 'query A { tags { totalCount } } query B { users { totalCount } }', operationName: 'B' },
  ]
  const expected: unknown[] = []
  for (const body of bodies) expected.push((await send(body, { headers: { 'cache-control': 'no-store' } })).body)
  expect(new Set(expected.map((it) => JSON.stringify(it))).size).toBe(bodies.length)
  for (let n = 0; n < 3; n++) {
    for (const [index, body] of bodies.entries()) expect((await send(body)).body).toEqual(expected[index])
  }
  // Nor one viewer the answer of another.
  for (let n = 0; n < 2; n++) {
    const email = async (headers: Record<string, string>) =>
      (await send({ query: '{ viewer { email } }' }, { headers })).body
    expect(await email({ authorization: ann })).toEqual({ data: { viewer: { email: 'ann@example.com' } } })
    expect(await email({})).toEqual({ data: { viewer: null } })
  }
})

const MUTATION = `mutation M { deleteArticle(id: "${ids.published}") { deletedId } }`
const SHA = hash('sha256', MUTATION)

it.each<[what: string, body: unknown]>([
  ['a mutation', { query: MUTATION }],
  ['a mutation by its name', { query: `query Q { __typename } ${MUTATION}`, operationName: 'M' }],
  ['a mutation behind a query of no name', { query: `{ __typename } ${MUTATION}`, operationName: 'M' }],
  ['a persisted mutation', { query: MUTATION, extensions: { persistedQuery: { version: 1, sha256Hash: SHA } } }],
  ['a persisted mutation by its hash', { extensions: { persistedQuery: { version: 1, sha256Hash: SHA } } }],
])('2 QUERY: is safe: %s is 405', async (_what, body) => {
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const { status, headers, body: answer } = await send(body, { headers: { authorization: admin, accept } })
    expect([status, headers.get('allow'), headers.get('cache-control')]).toEqual([405, 'POST', 'private, no-store'])
    expect(headers.get('accept-query')).toBe('application/json')
    expect(answer).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  }
  const [row] = await queryOnce(database.url, `select count(*)::int as n from articles where slug = 'published'`)
  expect(row).toEqual({ n: 1 })
})

it.each<[what: string, headers: Record<string, string>, status: number]>([
  ['no type', { 'content-type': '' }, 415],
  ['another type than JSON', { 'content-type': 'application/graphql' }, 415],
  ['another charset', { 'content-type': 'application/json; charset=utf-16' }, 415],
  ['plain text', { 'content-type': 'text/plain' }, 400],
  ['no media type of ours', { accept: 'text/html' }, 406],
])('2 Media Types: refuses a body of %s', async (_what, headers, status) => {
  const answer = await send({ query: TITLE }, { headers })
  expect(answer.status).toBe(status)
  if (status === 415) expect(answer.headers.get('accept-query')).toBe('application/json')
})

it.each(['bytes=0-3', 'bytes=-1', 'nonsense'])(
  '2 Range Requests: is answered in full, whatever Range says: %s',
  async (range) => {
    const { status, headers, body } = await send({ query: TITLE }, { headers: { range } })
    expect([status, headers.get('content-range'), body]).toEqual([
      200,
      null,
      { data: { article: { title: 'Published' } } },
    ])
  },
)

it('2 Equivalent Resource: names no URL that would answer the same by GET', async () => {
  const { headers } = await send({ query: TITLE })
  expect([headers.get('location'), headers.get('content-location')]).toEqual([null, null])
})

it('3 Accept-Query: says what may be sent, where it was not', async () => {
  for (const method of ['OPTIONS', 'PUT', 'DELETE']) {
    const { headers } = await fetch(`${node.url}/graphql`, { method })
    expect([method, headers.get('accept-query'), headers.get('allow')]).toEqual([
      method,
      'application/json',
      'GET, HEAD, POST, QUERY',
    ])
  }
})
