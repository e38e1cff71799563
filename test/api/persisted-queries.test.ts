import { hash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { type AnswerError, eventually, queryOnce, readMetrics, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'
import { addContent } from './add-content.ts'

const database = await useDatabase()
const options = { database, redis: useRedis() }
/** They share Redis. */
const node = await useNode(options)
const other = await useNode(options)
await addContent(database.url)
await Promise.all([node.catchUp(), other.catchUp()])

const NOT_FOUND = {
  status: 200,
  errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
}

/** As Apollo Client's link goes about it, by either method. */
describe.each(['GET', 'POST'] as const)('by %s', (method) => {
  it('does not know a query by its hash, is told it, and knows it from then on: on every node', async () => {
    const query = distinct('{ articles { totalCount } }')
    const answer = { status: 200, data: { articles: { totalCount: 2 } } }
    expect(await ask(node, method, byHash(query))).toMatchObject(NOT_FOUND)
    expect(await ask(other, method, byHash(query))).toMatchObject(NOT_FOUND)
    expect(await ask(node, method, { ...byHash(query), query })).toMatchObject(answer)
    expect(await ask(node, method, byHash(query))).toMatchObject(answer)
    await node.flush()
    expect(await ask(other, method, byHash(query))).toMatchObject(answer)
  })

  it('refuses a hash that is not that of the query, another version, and what is no hash', async () => {
    const query = distinct('{ tags { totalCount } }')
    const refusal = (message: string, field: string) => ({
      status: 400,
      errors: [
        { message, extensions: { code: 'BAD_USER_INPUT', field: `extensions.persistedQuery.${field}` } } as AnswerError,
      ],
    })
    const mismatch = refusal('provided sha does not match query', 'sha256Hash')
    expect(await ask(node, method, { ...byHash(distinct(query)), query })).toMatchObject(mismatch)
    expect(await ask(node, method, { ...byHash(query), query: '' })).toMatchObject(mismatch)
    expect(await ask(node, method, byHash(query))).toMatchObject(NOT_FOUND)
    const version = refusal('Unsupported persisted query version', 'version')
    for (const persistedQuery of [{ version: 2, sha256Hash: sha256(query) }, { sha256Hash: sha256(query) }, 'yes']) {
      expect(await ask(node, method, { extensions: { persistedQuery }, query })).toMatchObject(version)
    }
    for (const sha256Hash of [undefined, 7, '', 'x', `${sha256(query)}0`, sha256(query).toUpperCase()]) {
      expect(await ask(node, method, { extensions: { persistedQuery: { version: 1, sha256Hash } } })).toMatchObject(
        NOT_FOUND,
      )
    }
  })

  it('finds a query by its documentId, with variables and the name of an operation', async () => {
    const query = distinct('query A { users { totalCount } } query B($n: Int) { tags(first: $n) { nodes { slug } } }')
    const named = { documentId: `sha256:${sha256(query)}`, operationName: 'B', variables: { n: 1 } }
    expect(await ask(node, method, named)).toMatchObject({ ...NOT_FOUND, status: 400 })
    await ask(node, method, { ...byHash(query), query, operationName: 'A' })
    expect(await ask(node, method, named)).toMatchObject({ status: 200, data: { tags: { nodes: [{ slug: 'cats' }] } } })
  })

  it('leaves everything else about a request as it is', async () => {
    const query = distinct('{ users { totalCount } }')
    await ask(node, method, { ...byHash(query), query })
    const unknown = await ask(node, method, { ...byHash(query), operationName: 'Nobody' })
    expect(unknown).toMatchObject({ errors: [{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }] })
    const bare = await ask(node, method, { extensions: { other: true } })
    expect(bare).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
    expect(await ask(node, method, { query, extensions: { other: true } })).toMatchObject({
      data: { users: { totalCount: 2 } },
    })
  })

  it('keeps no document that cannot be run', async () => {
    const broken = distinct('{ articles {')
    expect(await ask(node, method, { ...byHash(broken), query: broken })).toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }],
    })
    expect(await ask(node, method, byHash(broken))).toMatchObject(NOT_FOUND)
  })
})

it('keeps no document that is absurdly large, and answers it all the same', async () => {
  const query = distinct(`{ articles { totalCount } } ${'#'.repeat(64 * 1024)}`)
  const answer = { data: { articles: { totalCount: 2 } } }
  expect(await ask(node, 'POST', { ...byHash(query), query })).toMatchObject(answer)
  expect(await ask(node, 'POST', byHash(query))).toMatchObject(NOT_FOUND)
})

it.each(['GET', 'POST'] as const)(
  'answers %s by hash from memory, byte for byte, without looking for the document',
  async (method) => {
    const query = distinct('query ($n: Int) { tags(first: $n) { nodes { slug } } }')
    await ask(node, method, { ...byHash(query), query, variables: { n: 1 } })
    const again = () => ask(node, method, { ...byHash(query), variables: { n: 1 } })
    await again()
    const before = await lookUps(node)
    expect(await again()).toMatchObject({ status: 200, word: 'HIT', data: { tags: { nodes: [{ slug: 'cats' }] } } })
    expect(await lookUps(node)).toEqual(before)
    // Now nobody knows what the hash stands for: nobody can have parsed it.
    await forget(query)
    expect(await again()).toMatchObject({ status: 200, word: 'HIT', data: { tags: { nodes: [{ slug: 'cats' }] } } })
  },
)

it('reads a request that tells a query every time: the document may be gone, where the answer is not', async () => {
  const query = distinct('{ articles { totalCount } }')
  const tell = () => ask(node, 'POST', { ...byHash(query), query })
  await tell()
  await forget(query)
  expect(await tell()).toMatchObject({ word: 'HIT' })
  expect(await ask(node, 'POST', byHash(query))).toMatchObject({ data: { articles: { totalCount: 2 } } })
})

it('refreshes an answer to a query by hash in the background', async () => {
  const query = distinct('{ tags { nodes { slug } } }')
  await ask(node, 'POST', { ...byHash(query), query })
  const again = async () => (await ask(node, 'POST', byHash(query))).word
  expect(await again()).toBe('HIT')
  await node.admin.get('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
  expect(await again()).toBe('STALE')
  await eventually(async () => (await again()) === 'HIT')
})

it('lets whoever holds an answer to a GET by hash know that it is the same, and nobody keep that a hash is unknown', async () => {
  const query = distinct('{ articles { nodes { title } } }')
  const url = `${node.url}/graphql?${parametersOf(byHash(query))}`
  const unknown = await fetch(url)
  expect([unknown.status, unknown.headers.get('cache-control')]).toEqual([200, 'private, no-store'])
  await ask(node, 'GET', { ...byHash(query), query })
  const first = await fetch(url)
  expect(first.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
  const etag = String(first.headers.get('etag'))
  const second = await fetch(url, { headers: { 'if-none-match': etag } })
  expect([second.status, await second.text(), second.headers.get('etag')]).toEqual([304, '', etag])
  await queryOnce(database.url, `update articles set title = 'Another' where slug = 'published'`)
  await eventually(async () => (await fetch(url, { headers: { 'if-none-match': etag } })).status === 200)
})

it('makes changes by hash alone, by POST alone', async () => {
  const query = distinct('mutation ($name: String!) { createTag(input: { name: $name }) { tag { name } } }')
  const headers = { authorization: `Bearer ${await testToken('admin')}` }
  const make = (name: string) => ({ ...byHash(query), variables: { name } })
  const made = (name: string) => ({ status: 200, data: { createTag: { tag: { name } } } })
  expect(await ask(node, 'POST', { ...make('Told'), query }, headers)).toMatchObject(made('Told'))
  expect(await ask(node, 'POST', make('By hash'), headers)).toMatchObject(made('By hash'))
  const byGet = await ask(node, 'GET', make('By GET'), headers)
  expect(byGet).toMatchObject({ status: 405, errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  expect(await ask(node, 'GET', { ...make('By GET'), query }, headers)).toMatchObject({ status: 405 })
  const rows = await queryOnce(
    database.url,
    `select name from tags where name in ('Told', 'By hash', 'By GET') order by id`,
  )
  expect(rows).toEqual([{ name: 'Told' }, { name: 'By hash' }])
})

it('does without where it is told to, and says so as Apollo does', async () => {
  const query = distinct('{ articles { totalCount } }')
  await ask(node, 'POST', { ...byHash(query), query })
  await node.flush()
  const without = await useNode({ ...options, environment: { PERSISTED_QUERIES: 'off' } })
  const refusal = {
    status: 200,
    errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
  }
  for (const request of [byHash(query), { ...byHash(query), query }]) {
    expect(await ask(without, 'POST', request)).toMatchObject(refusal)
  }
  expect(await ask(without, 'POST', { query })).toMatchObject({ data: { articles: { totalCount: 2 } } })
})

interface Said {
  readonly query?: string
  readonly operationName?: string
  readonly variables?: object
  readonly extensions?: object
  readonly documentId?: unknown
}

async function ask({ url }: TestNode, method: 'GET' | 'POST', said: Said, headers: Record<string, string> = {}) {
  const response = await (method === 'GET'
    ? fetch(`${url}/graphql?${parametersOf(said)}`, { headers })
    : fetch(`${url}/graphql`, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(said),
      }))
  const body = (await response.json()) as { readonly data?: unknown; readonly errors?: readonly AnswerError[] }
  return { status: response.status, word: response.headers.get('x-cache'), ...body }
}

/** Drops every document, and waits until `node` knows. Asks for the answer with other variables each time: that is not at hand. */
async function forget(query: string): Promise<void> {
  await queryOnce(database.url, `select stet.touch('persisted-queries')`)
  await eventually(async () => {
    expect(await ask(node, 'POST', { ...byHash(query), variables: { never: count++ } })).toMatchObject(NOT_FOUND)
  })
}

const parametersOf = (said: Said): URLSearchParams =>
  new URLSearchParams(
    Object.entries(said).map(([name, value]): [string, string] => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  )

const sha256 = (text: string): string => hash('sha256', text)

const byHash = (query: string): Said => ({
  extensions: { persistedQuery: { version: 1, sha256Hash: sha256(query) } },
})

let count = 0
/** The same document, and another text: nobody knows its hash yet. */
const distinct = (query: string): string => `${query} # ${count++}`

/** What has been asked of the cache for documents. */
async function lookUps({ url }: TestNode): Promise<readonly string[]> {
  const metrics = await readMetrics(url)
  const lines = metrics.split('\n').filter((line) => line.startsWith('stet_cache_requests_total'))
  return lines.filter((line) => line.includes('kind="persisted-query"'))
}
