import { hash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { getIntrospectionQuery } from 'graphql'
import { type AnswerError, startTestNode, type TestNode, testToken } from '../harness/index.ts'
import { use, useDatabase, useRedis } from '../harness/use.ts'
import { addContent } from './add-content.ts'
import { runStet } from './run-stet.ts'

const COUNT = 'query Count { articles { totalCount } }'
const SLUGS = 'query Slugs($n: Int) { tags(first: $n) { nodes { slug } } }'
const CREATE = 'mutation Create($name: String!) { createTag(input: { name: $name }) { tag { name } } }'
const UNLISTED = 'query Unlisted { users { totalCount } }'

const digest = (algorithm: string, text: string): string => hash(algorithm, text)
const sha256 = (text: string): string => digest('sha256', text)

/** As GraphQL Code Generator's client preset writes it; its hashes are SHA-1 unless it is told otherwise. */
const CODEGENS = { [digest('sha1', COUNT)]: COUNT, [sha256(SLUGS)]: SLUGS, [`sha256:${sha256(CREATE)}`]: CREATE }

/** As Apollo's generate-persisted-query-manifest writes it. */
const APOLLOS = {
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [
    { id: digest('sha1', COUNT), name: 'Count', type: 'query', body: COUNT },
    { id: sha256(SLUGS), name: 'Slugs', type: 'query', body: SLUGS },
    { id: sha256(CREATE), name: 'Create', type: 'mutation', body: CREATE },
  ],
}

const COUNTED = { status: 200, data: { articles: { totalCount: 2 } } }
const LISTED = { status: 200, data: { tags: { nodes: [{ slug: 'cats' }] } } }
const NOT_TRUSTED = { status: 403, errors: [{ extensions: { code: 'DOCUMENT_NOT_TRUSTED' } }] }

const directory = use(await mkdtemp(join(tmpdir(), 'stet-trusted-')), (it) => rm(it, { recursive: true }))
const database = await useDatabase()
const options = { databaseUrl: database.url, ...useRedis() }
await (await startTestNode(options)).close()
await addContent(database.url)

describe.each([
  ['GraphQL Code Generator', CODEGENS],
  ['Apollo', APOLLOS],
])('with a manifest of %s', (tool, manifest) => {
  let node: TestNode

  beforeAll(async () => {
    const path = await write(`${tool}.json`, manifest)
    node = await startTestNode({ ...options, environment: { TRUSTED_DOCUMENTS: path } })
  })

  afterAll(async () => {
    await node.close()
  })

  it.each(['GET', 'POST'] as const)('finds what is listed by %s, by documentId and by hash', async (method) => {
    expect(await ask(node, method, { documentId: digest('sha1', COUNT) })).toMatchObject(COUNTED)
    expect(await ask(node, method, byHash(digest('sha1', COUNT)))).toMatchObject(COUNTED)
    const variables = { n: 1 }
    for (const documentId of [sha256(SLUGS), `sha256:${sha256(SLUGS)}`]) {
      expect(await ask(node, method, { documentId, variables })).toMatchObject(LISTED)
    }
    expect(await ask(node, method, { ...byHash(sha256(SLUGS)), variables })).toMatchObject(LISTED)
    expect(await ask(node, method, { documentId: 'nothing' })).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    })
  })

  it('makes changes by id, by POST alone', async () => {
    const headers = { authorization: `Bearer ${await testToken('admin')}` }
    const said = { documentId: sha256(CREATE), variables: { name: `Made with ${tool}` } }
    expect(await ask(node, 'GET', said, headers)).toMatchObject({ status: 405 })
    expect(await ask(node, 'POST', said, headers)).toMatchObject({
      status: 200,
      data: { createTag: { tag: { name: `Made with ${tool}` } } },
    })
  })

  it('answers everything else too, and takes queries by their hash', async () => {
    expect(await ask(node, 'POST', { query: UNLISTED })).toMatchObject({ status: 200 })
    expect(await ask(node, 'POST', { ...byHash(sha256(UNLISTED)), query: UNLISTED })).toMatchObject({ status: 200 })
    expect(await ask(node, 'POST', byHash(sha256(UNLISTED)))).toMatchObject({ status: 200, data: { users: {} } })
  })
})

describe('where nothing else is answered', () => {
  let node: TestNode

  beforeAll(async () => {
    const path = await write('only.json', CODEGENS)
    // They share Redis, with what clients told this one.
    const open = await startTestNode(options)
    await ask(open, 'POST', { ...byHash(sha256(UNLISTED)), query: UNLISTED })
    await open.flush()
    await open.close()
    const environment = { TRUSTED_DOCUMENTS: path, TRUSTED_DOCUMENTS_ONLY: 'on' }
    node = await startTestNode({ ...options, environment })
  })

  afterAll(async () => {
    await node.close()
  })

  it.each(['GET', 'POST'] as const)('answers what is listed, by %s: by id, by hash, and in full', async (method) => {
    expect(await ask(node, method, { documentId: digest('sha1', COUNT) })).toMatchObject(COUNTED)
    expect(await ask(node, method, byHash(digest('sha1', COUNT)))).toMatchObject(COUNTED)
    expect(await ask(node, method, { query: COUNT })).toMatchObject(COUNTED)
    expect(await ask(node, method, { ...byHash(digest('sha1', COUNT)), query: COUNT })).toMatchObject(COUNTED)
    const slugs = { ...byHash(sha256(SLUGS)), query: SLUGS, variables: { n: 1 } }
    expect(await ask(node, method, slugs)).toMatchObject(LISTED)
    // And again, from memory.
    expect(await ask(node, method, { query: COUNT })).toMatchObject({ ...COUNTED, word: 'HIT' })
  })

  it.each(['GET', 'POST'] as const)('refuses whatever else is sent by %s, whoever sends it', async (method) => {
    const refused: readonly Said[] = [
      { query: UNLISTED },
      { query: `${COUNT} ` },
      { query: getIntrospectionQuery() },
      { query: '{' },
      {},
      { documentId: 'nothing' },
      { documentId: `sha256:${sha256(UNLISTED)}` },
      { documentId: digest('sha1', COUNT), query: UNLISTED },
      byHash(sha256(UNLISTED)),
      { ...byHash(sha256(UNLISTED)), query: UNLISTED },
      { ...byHash(digest('sha1', COUNT)), query: UNLISTED },
    ]
    const admin: Record<string, string> = { authorization: `Bearer ${await testToken('admin')}` }
    for (const headers of [{}, admin]) {
      for (const said of refused) {
        const answer = await ask(node, method, said, headers)
        expect({ said, answer }).toMatchObject({ said, answer: NOT_TRUSTED })
        expect(answer).not.toHaveProperty('data')
      }
    }
  })

  it('refuses what could be read in two ways', async () => {
    const both = new URLSearchParams([
      ['query', COUNT],
      ['query', UNLISTED],
    ])
    const answers = [
      await fetch(`${node.url}/graphql?${both}`),
      await post(node, JSON.stringify([{ query: COUNT }, { query: UNLISTED }])),
      await post(node, 'null'),
      await post(node, JSON.stringify({ query: UNLISTED }), 'text/plain'),
    ]
    for (const answer of answers) expect([answer.status, await answer.json()]).toMatchObject([403, NOT_TRUSTED_BODY])
    const twice = await post(node, `{ "query": ${JSON.stringify(COUNT)}, "query": ${JSON.stringify(UNLISTED)} }`)
    expect([twice.status, await twice.json()]).toMatchObject([403, NOT_TRUSTED_BODY])
  })
})

const NOT_TRUSTED_BODY = { errors: NOT_TRUSTED.errors }

it('says in one line what is wrong with a manifest, and opens nothing', async () => {
  const path = await write('wrong.json', { fine: COUNT, old: '{ viewer { shoeSize } }' })
  const environment = { DATA_DIRECTORY: join(directory, 'never'), PORT: '0', LOG_LEVEL: 'silent' }
  const fault = `doesn't fit the schema: Cannot query field "shoeSize" on type "User". (line 1, column 12)`
  expect(await runStet(['serve', '--trusted-documents', path], environment)).toEqual({
    code: 1,
    stdout: '',
    stderr: `stet: ${path}: document "old" ${fault}\n`,
  })
  expect(await readdir(directory)).not.toContain('never')
})

interface Said {
  readonly query?: string
  readonly variables?: object
  readonly extensions?: object
  readonly documentId?: string
}

async function ask(node: TestNode, method: 'GET' | 'POST', said: Said, headers: Record<string, string> = {}) {
  const parameters = Object.entries(said).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  const response = await (method === 'GET'
    ? fetch(`${node.url}/graphql?${new URLSearchParams(parameters)}`, { headers })
    : post(node, JSON.stringify(said), 'application/json', headers))
  const body = (await response.json()) as { readonly data?: unknown; readonly errors?: readonly AnswerError[] }
  return { status: response.status, word: response.headers.get('x-cache'), ...body }
}

const post = ({ url }: TestNode, body: string, type = 'application/json', headers: Record<string, string> = {}) =>
  fetch(`${url}/graphql`, { method: 'POST', headers: { ...headers, 'content-type': type }, body })

const byHash = (sha256Hash: string): Said => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })

async function write(name: string, manifest: unknown): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, JSON.stringify(manifest))
  return path
}
