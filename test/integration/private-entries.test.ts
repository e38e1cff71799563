import { inflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ANN, addContent, BOB, ids } from '../api/add-content.ts'
import {
  createRedisPrefix,
  emptyContent,
  type GraphQLClient,
  queryOnce,
  sharedServers,
  startTestNode,
  type TestNode,
} from '../harness/index.ts'
import { useDatabase, useRedisClient } from '../harness/use.ts'

/** What not everyone may know is found nowhere in Redis, whatever was asked by whoever may. */
const database = await useDatabase()
const client = useRedisClient()
const { redisUrl } = sharedServers()

const SECRET = 'a secret that all nodes of a fleet have'
const SECRETS = [
  'ann@example.com',
  'bob@example.com',
  'annie@example.org',
  'Draft of Ann',
  'Draft of Bob',
  'anns-draft',
  'bobs-draft',
  'A draft that is new',
  'a-draft-that-is-new',
  'quagga',
  'zorilla',
]

const ARTICLE =
  'id slug title summary body bodyHtml status viewCount version author { id username email } tags { name }'
const QUERIES = [
  `{ users(first: 5) { totalCount nodes { id username email articles(first: 5) { nodes { ${ARTICLE} } } } } }`,
  ...['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED'].flatMap((order) => [
    `{ articles(first: 20, orderBy: ${order}) { totalCount edges { cursor node { ${ARTICLE} } } } }`,
    `{ articles(first: 20, orderBy: ${order}, filter: { status: DRAFT }) { totalCount nodes { ${ARTICLE} } } }`,
  ]),
  '{ articles(filter: { search: "quagga" }) { totalCount nodes { id } } }',
  '{ articles(filter: { status: DRAFT, search: "zorilla" }, orderBy: TITLE) { totalCount nodes { title } } }',
  '{ articles(filter: { tag: "cats", author: "ann" }) { totalCount nodes { title body } } tags { nodes { articleCount } } }',
  `{ a: article(slug: "anns-draft") { ${ARTICLE} } b: article(slug: "bobs-draft") { ${ARTICLE} } }`,
  `{ nodes(ids: ["${ids.annsDraft}", "${ids.bobsDraft}", "${ids.ann}", "${ids.published}"]) { ... on Article { ${ARTICLE} } ... on User { email } } }`,
  '{ viewer { email username } }',
]

describe.each([
  ['without a secret', {}],
  ['with a secret', { CACHE_SECRET: SECRET }],
])('Redis %s', (_name, environment: NodeJS.ProcessEnv) => {
  const redisPrefix = createRedisPrefix()
  let nodes: readonly [TestNode, TestNode]

  const start = () =>
    startTestNode({
      databaseUrl: database.url,
      redisUrl,
      redisPrefix,
      environment: { ...environment, WORKER: 'off', CACHE_COMPRESS_ABOVE_BYTES: '1000000' },
    })

  beforeAll(async () => {
    nodes = [await start(), await start()]
    await emptyContent(database.url)
    await addContent(database.url)
    await queryOnce(database.url, `update articles set body = 'A quagga, a zorilla.' where status = 'DRAFT'`)
    for (const node of nodes) await node.catchUp()
  })

  afterAll(async () => {
    for (const node of nodes) await node.close()
  })

  it('holds no e-mail address and nothing of a draft, after everything was asked by admins, owners and visitors', async () => {
    const seen = new Map<string, unknown>()
    for (const node of [...nodes, ...nodes]) {
      node.cache.clearMemory()
      for (const [who, asker] of await askers(node)) {
        for (const query of QUERIES) {
          // Each a second time: then the answer is kept.
          for (let time = 0; time < 2; time++) {
            const { data, errors } = await asker.send(query)
            expect(errors).toEqual([])
            const before = seen.get(who + query)
            if (before !== undefined) expect(data).toEqual(before)
            seen.set(who + query, data)
          }
        }
        await node.flush()
        expect(await found()).toEqual([])
      }
    }
    expect(JSON.stringify([...seen.values()])).toContain('ann@example.com')
    expect(JSON.stringify([...seen.values()])).toContain('A quagga, a zorilla.')
  })

  it('holds nothing of them after they were written', async () => {
    const [here, there] = nodes
    const ann = await here.author(ANN)
    const { createArticle } = await ann.get<{ createArticle: { article: { id: string } } }>(
      `mutation { createArticle(input: { title: "A draft that is new", body: "A new quagga." }) { article { ${ARTICLE} } } }`,
    )
    const { id } = createArticle.article
    await ann.get(`mutation { updateArticle(input: { id: "${id}", summary: "zorilla" }) { article { ${ARTICLE} } } }`)
    const email = `mutation { updateUser(input: { id: "${ids.ann}", email: "annie@example.org" }) { user { email } } }`
    expect(await ann.get(email)).toEqual({ updateUser: { user: { email: 'annie@example.org' } } })
    for (const node of [here, there]) {
      for (let time = 0; time < 2; time++) {
        const owner = await node.author(ANN)
        await owner.get(`{ node(id: "${id}") { ... on Article { ${ARTICLE} } } viewer { email } }`)
        await owner.get(`{ article(slug: "a-draft-that-is-new") { ${ARTICLE} } }`)
      }
      await node.flush()
    }
    expect(await found()).toEqual([])
    await ann.get(`mutation { updateUser(input: { id: "${ids.ann}", email: "ann@example.com" }) { user { email } } }`)
    await ann.get(`mutation { deleteArticle(id: "${id}") { deletedId } }`)
  })

  it('holds no key of them in the list of what is used most', async () => {
    const [{ cache, admin }] = nodes
    for (let time = 0; time < 200; time++) await admin.get(String(QUERIES[11]), {}, { 'cache-control': 'max-age=1' })
    const keys = cache.hottest().map(({ key }) => key)
    for (const text of SECRETS) expect(keys.filter((key) => key.includes(text))).toEqual([])
  })

  it(`${environment.CACHE_SECRET ? 'shares' : 'does not share'} what is private between nodes`, async () => {
    const [here, there] = nodes
    for (const node of nodes) node.cache.clearMemory()
    for (const key of await client.keys(`${redisPrefix}1:*`)) await client.del(key)
    await here.admin.get(`{ node(id: "${ids.bob}") { ... on User { email } } }`)
    await here.flush()
    const emails = there.cache.find('user-email')
    const { redis } = (await emails?.look(emails.keyOf(String(BOB)))) ?? {}
    if (environment.CACHE_SECRET) expect(redis).toMatchObject({ value: { email: 'bob@example.com' } })
    else expect(redis).toBeUndefined()
    const articles = there.cache.find('article')
    await here.admin.get(`{ node(id: "${ids.bobsDraft}") { ... on Article { title } } }`)
    await here.flush()
    const draft = await articles?.look(articles.keyOf('3'))
    if (environment.CACHE_SECRET) expect(draft?.redis).toMatchObject({ value: { title: 'Draft of Bob' } })
    else expect(draft?.redis).toBeUndefined()
  })

  it('holds all that everyone may know', async () => {
    const [here, there] = nodes
    here.cache.clearMemory()
    const query = `{ articles(first: 100) { nodes { title bodyHtml author { displayName } } } user(username: "ann") { bio } }`
    for (let time = 0; time < 2; time++) await here.visitor.get(query)
    await here.flush()
    there.cache.clearMemory()
    const { headers } = await there.visitor.send(query)
    expect(headers.get('cache-status')).toContain('detail=redis')
  })

  it('tells a visitor of a draft what it tells of nothing', async () => {
    const [{ visitor }] = nodes
    const tell = async (slug: string) => {
      const query = `{ article(slug: "${slug}") { title } }`
      for (let time = 0; time < 2; time++) await visitor.send(query)
      const { data, headers } = await visitor.send(query)
      expect(headers.get('x-cache')).toBe('HIT')
      return { data, tags: headers.get('surrogate-key')?.replaceAll(slug, 'slug') }
    }
    expect(await tell('anns-draft')).toEqual(await tell('no-article'))
  })

  /** Where in Redis a secret is found: in a key, or in a value as it is, or inflated. */
  async function found(): Promise<string[]> {
    const places: string[] = []
    for await (const keys of client.scanStream({ match: `${redisPrefix}*`, count: 1000 })) {
      for (const key of keys as string[]) {
        const value =
          (await client.type(key)) === 'string' ? ((await client.getBuffer(key)) ?? Buffer.alloc(0)) : Buffer.alloc(0)
        const texts = [key, decodeURIComponent(key), value.toString('latin1'), inflated(value)]
        for (const text of SECRETS) if (texts.some((each) => each.includes(text))) places.push(`${text} in ${key}`)
      }
    }
    return places
  }
})

/** Visitors last: what they ask for by its name is in their own words. */
async function askers(node: TestNode): Promise<readonly (readonly [string, GraphQLClient])[]> {
  return [
    ['admin', node.admin],
    ['ann', await node.author(ANN)],
    ['bob', await node.author(BOB)],
  ]
}

function inflated(value: Buffer): string {
  try {
    return inflateRawSync(value.subarray(5)).toString('latin1')
  } catch {
    return ''
  }
}
