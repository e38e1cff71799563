import { beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import {
  eventually,
  GraphQLClient,
  queryOnce,
  readMetrics,
  startFaultProxy,
  startTestNode,
  type TestNode,
} from '../harness/index.ts'
import { use, useDatabase, useNode, useRedis } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

const { published } = ids

const ADDRESS = { 'x-forwarded-for': '192.0.2.1' }

const database = await useDatabase()
const redis = useRedis()
const { redisUrl } = redis
const { hostname, port } = new URL(redisUrl)
const proxy = use(await startFaultProxy({ host: hostname, port: Number(port) }), (it) => it.close())
// Nothing is counted or ranked but when a test says so.
const environment = { RATE_LIMIT_MAX: '5', RANK_ARTICLES_EVERY: '86400', TRUST_PROXY: 'loopback' }
const shared = {
  database,
  redis: { ...redis, redisUrl: proxy.through(redisUrl) },
  environment: { ...environment, WORKER: 'off', QUEUE_MAX_ENTRIES: '20' },
}
/** Two that share Redis, and one without. */
const nodes = [await useNode(shared), await useNode(shared)] as const
const alone = await useNode({ database, environment: { ...environment, QUEUE_FLUSH_MS: '60000' } })
await addContent(database.url)

beforeEach(() => queryOnce(database.url, 'update article_stats set views = 0, ranked_views = 0'))

it('counts views from every node, and drops no entry of the article', async () => {
  const [one, two] = nodes
  const title = async (node: TestNode) =>
    (await node.visitor.send('query ($id: ID!) { article(id: $id) { title } }', { id: published })).headers.get(
      'x-cache',
    )
  for (const node of nodes) await title(node)
  for (const node of [one, two, two]) expect(await record(node, published, nextAddress())).toBe(true)
  expect(await viewCount(one)).toBe(0)
  await one.drain()
  await eventually(async () => (await viewCount(two)) === 3)
  expect(await viewCount(one)).toBe(3)
  for (const node of nodes) expect(await title(node)).toBe('HIT')
})

it('counts without Redis too', async () => {
  for (let view = 0; view < 4; view++) expect(await record(alone, published, nextAddress())).toBe(true)
  await alone.drain()
  expect(await viewCount(alone)).toBe(4)
})

it.each([
  ['what does not exist', () => toGlobalId('Article', 987_654), 'NOT_FOUND'],
  ['a draft of somebody else', () => ids.bobsDraft, 'NOT_FOUND'],
  ['another thing', () => toGlobalId('User', 1), 'BAD_USER_INPUT'],
  ['nothing', () => 'nothing', 'BAD_USER_INPUT'],
])('refuses a view of %s', async (_what, id, code) => {
  const { data, errors } = await send(alone, id(), nextAddress())
  expect(data).toEqual({ recordView: null })
  expect(errors[0]?.extensions).toEqual({ code, field: 'articleId' })
})

it('skips an article that was deleted meanwhile', async () => {
  const [row] = await queryOnce(
    database.url,
    `insert into articles (slug, title, body, author_id, status, published_at) values ('gone', 'Gone', '', 1, 'PUBLISHED', now()) returning id::int`,
  )
  expect(await record(alone, toGlobalId('Article', Number(row?.id)), nextAddress())).toBe(true)
  expect(await record(alone, published, nextAddress())).toBe(true)
  await queryOnce(database.url, `delete from articles where slug = 'gone'`)
  await alone.drain()
  expect(await viewCount(alone)).toBe(1)
})

it('limits how often an address views, over all nodes, and no other address', async () => {
  const codes: unknown[] = []
  for (let view = 0; view < 8; view++) {
    const { errors } = await send(nodes[view % 2 ? 1 : 0], published, ADDRESS)
    codes.push(errors[0]?.extensions.code)
  }
  expect(codes).toEqual([...Array(5).fill(undefined), ...Array(3).fill('RATE_LIMITED')])
  expect(await record(nodes[0], published, nextAddress())).toBe(true)
  await nodes[0].drain()
})

it.each<[what: string, first: string, others: (n: number) => string]>([
  ['what is no address', '127.0.0.1', (n) => `x${n}`],
  ['an address with a port', '127.0.0.1', (n) => `192.0.2.77:${5000 + n}`],
  ['an address in brackets', '127.0.0.1', (n) => `[2001:db8:9::${n}]`],
  ['what no address may be', '127.0.0.1', (n) => `192.0.2.${256 + n}`],
  ['more before what is no address', '127.0.0.1', (n) => `198.51.100.${n}, x${n}`],
  ['an address of the same /64', '2001:db8:1:2::1', (n) => `2001:db8:1:2:${n}::1`],
  ['an IPv4 address as IPv6', '192.0.2.99', (n) => (n % 2 ? '::ffff:192.0.2.99' : '::ffff:c000:263')],
])('makes nobody another client by %s in X-Forwarded-For', async (_what, first, others) => {
  const fresh = await startTestNode({
    databaseUrl: database.url,
    environment: { ...environment, QUEUE_FLUSH_MS: '60000' },
  })
  try {
    const codes: unknown[] = []
    for (let view = 0; view < 7; view++) {
      const forwarded = { 'x-forwarded-for': view === 0 ? first : others(view) }
      codes.push((await send(fresh, published, forwarded)).errors[0]?.extensions.code)
    }
    expect(codes).toEqual([...Array(5).fill(undefined), ...Array(2).fill('RATE_LIMITED')])
    expect(await record(fresh, published, { 'x-forwarded-for': '2001:db8:1:3::1' })).toBe(true)
  } finally {
    await fresh.close()
  }
})

it('limits a user by who they are, and counts each field of a request', async () => {
  const author = await alone.author(1)
  const fields = Array.from({ length: 7 }, (_, n) => `v${n}: recordView(articleId: $id)`).join(' ')
  const { data, errors } = await author.send<Record<string, boolean | null>>(`mutation ($id: ID!) { ${fields} }`, {
    id: published,
  })
  expect(Object.values(data)).toEqual([...Array(5).fill(true), null, null])
  expect(errors.map(({ extensions }) => extensions.code)).toEqual(['RATE_LIMITED', 'RATE_LIMITED'])
  await alone.drain()
})

it('refuses more than may wait, and counts what it took', async () => {
  const codes: unknown[] = []
  for (let view = 0; view < 23; view++) {
    codes.push((await send(nodes[0], published, nextAddress())).errors[0]?.extensions.code)
  }
  expect(codes).toEqual([...Array(20).fill(undefined), ...Array(3).fill('OVERLOADED')])
  const metrics = await readMetrics(nodes[1].url)
  expect(metrics).toContain('stet_queue_depth{queue="views"} 20')
  expect(metrics).toContain('stet_queue_dead{queue="views"} 0')
  expect(metrics).toMatch(/stet_queue_lag_seconds\{queue="views"\} \d+\.\d+/)
  await nodes[1].drain()
  expect(await viewCount(nodes[1])).toBe(20)
  expect(await readMetrics(nodes[1].url)).toContain('stet_queue_depth{queue="views"} 0')
})

it('says that it takes none while Redis is away; each node goes on limiting by itself', async () => {
  await proxy.cut()
  const codes: unknown[] = []
  for (let view = 0; view < 7; view++) {
    codes.push((await send(nodes[0], published, { 'x-forwarded-for': '198.51.100.1' })).errors[0]?.extensions.code)
  }
  expect(codes).toEqual([...Array(5).fill('OVERLOADED'), 'RATE_LIMITED', 'RATE_LIMITED'])
  await proxy.restore()
  await eventually(async () => (await record(nodes[0], published, nextAddress())) === true)
  await nodes[0].drain()
  expect(await viewCount(nodes[0])).toBe(1)
})

it('puts the most viewed in order when it is made anew', async () => {
  const first = async () =>
    (
      await alone.visitor.get<{ articles: { nodes: { id: string }[] } }>(
        '{ articles(orderBy: MOST_VIEWED) { nodes { id } } }',
      )
    ).articles.nodes[0]?.id
  expect(await first()).not.toBe(published)
  expect(await record(alone, published, nextAddress())).toBe(true)
  await alone.drain()
  expect(await viewCount(alone)).toBe(1)
  expect(await first()).not.toBe(published)
  await queryOnce(database.url, 'delete from stet.job')
  // Another node finds it due as soon as it starts.
  const starting = await startTestNode({ databaseUrl: database.url })
  await eventually(async () => (await first()) === published)
  await starting.close()
})

async function send(node: TestNode, articleId: string, headers: Record<string, string>) {
  const query = 'mutation ($id: ID!) { recordView(articleId: $id) }'
  return new GraphQLClient(node.url).send<{ recordView: boolean | null }>(query, { id: articleId }, headers)
}

const record = async (node: TestNode, id: string, headers: Record<string, string>) =>
  (await send(node, id, headers)).data.recordView

async function viewCount(node: TestNode): Promise<number | undefined> {
  const query = 'query ($id: ID!) { article(id: $id) { viewCount } }'
  return (await node.visitor.get<{ article: { viewCount: number } }>(query, { id: published })).article.viewCount
}

let addresses = 0
const nextAddress = () => ({ 'x-forwarded-for': `203.0.113.${++addresses % 250}` })
