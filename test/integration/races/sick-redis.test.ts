import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import {
  eventually,
  type FaultProxy,
  type RedisServer,
  readMetrics,
  startFaultProxy,
  startRedis,
  type TestNode,
} from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './article-world.ts'

/** Redis is there, and of no use: it hangs, or answers too late. A proxy counts what is sent to it all the same. */
let server: RedisServer
let proxy: FaultProxy
let world: ArticleWorld
let node: TestNode

beforeAll(async () => {
  server = await startRedis()
  const { hostname, port } = new URL(server.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

beforeEach(async () => {
  world = await createArticleWorld()
})

afterEach(async () => {
  await world.end()
  await proxy.restore()
})

afterAll(async () => {
  await proxy.close()
  await server.stop()
})

it('answers right while Redis is too late for everything, and asks it nothing once its breaker is open', async () => {
  node = await startNode({ REDIS_BREAKER_RESET_MS: '600000', QUEUE_FLUSH_MS: '10' })
  expect(await readTitle(node.visitor)).toBe('old')
  expect(await breakerState(node)).toBe(0)
  // Later than REDIS_TIMEOUT_MS, so that its connections stay, and say nothing of their own.
  proxy.delay(1000)
  await eventually(async () => {
    node.cache.clearMemory()
    expect(await readTitle(node.visitor)).toBe('old')
    return (await breakerState(node)) === 2
  })
  await node.flush()
  const sent = proxy.bytesBesidePings()
  const errors = await metric(node, 'stet_redis_errors_total')
  for (let round = 0; round < 20; round++) {
    const { token } = await writeTitle(node.admin, `round ${round}`)
    node.cache.clearMemory()
    expect(await readTitle(node.visitor, token)).toBe(`round ${round}`)
    await node.flush()
  }
  expect(proxy.bytesBesidePings()).toBe(sent)
  expect(await metric(node, 'stet_redis_errors_total')).toBeGreaterThan(errors)
})

it('takes no view while it leaves Redis alone, says so without asking it, and goes on limiting by itself', async () => {
  const limits = { RATE_LIMIT_MAX: '3', QUEUE_FLUSH_MS: '10' }
  node = await startNode({ REDIS_BREAKER_RESET_MS: '600000', ...limits })
  expect(await recordView()).toBeUndefined()
  proxy.stall()
  await eventually(async () => {
    node.cache.clearMemory()
    await readTitle(node.visitor)
    return (await breakerState(node)) === 2
  })
  await node.flush()
  const sent = proxy.bytesBesidePings()
  const codes: unknown[] = []
  for (let view = 0; view < 5; view++) codes.push(await recordView())
  expect(codes).toEqual([...Array(3).fill('OVERLOADED'), ...Array(2).fill('RATE_LIMITED')])
  expect(await metric(node, 'stet_queue_refused_total{queue="views"}')).toBe(3)
  // The worker has looked meanwhile too.
  await eventually(async () => (await metric(node, 'stet_queue_errors_total{queue="views"}')) > 2)
  expect(proxy.bytesBesidePings()).toBe(sent)
})

it('counts a view again as soon as it is back with Redis', async () => {
  node = await startNode({ REDIS_BREAKER_RESET_MS: '20', QUEUE_FLUSH_MS: '10' })
  await eventually(() => recordView().then((code) => code === undefined))
  proxy.stall()
  await eventually(async () => {
    expect(await recordView()).toBe('OVERLOADED')
    return (await breakerState(node)) === 2
  })
  const before = await counted()
  await proxy.restore()
  await eventually(async () => (await recordView()) === undefined)
  await eventually(async () => (await counted()) > before)
})

it('goes back to Redis by itself once it answers again', async () => {
  node = await startNode({ REDIS_BREAKER_RESET_MS: '20' })
  proxy.stall()
  await eventually(async () => {
    node.cache.clearMemory()
    expect(await readTitle(node.visitor)).toBe('old')
    return (await breakerState(node)) === 2
  })
  const { token } = await writeTitle(node.admin, 'new')
  await proxy.restore()
  await eventually(async () => {
    node.cache.clearMemory()
    expect(await readTitle(node.visitor, token)).toBe('new')
    return (await breakerState(node)) === 0
  })
  const hits = await hitsInRedis(node)
  await eventually(async () => {
    await node.flush()
    node.cache.clearMemory()
    expect(await readTitle(node.visitor, token)).toBe('new')
    return (await hitsInRedis(node)) > hits
  })
})

it('starts and serves while Redis hangs', async () => {
  proxy.stall()
  node = await startNode()
  const { token } = await writeTitle(node.admin, 'new')
  expect(await readTitle(node.visitor, token)).toBe('new')
})

const startNode = (environment: NodeJS.ProcessEnv = {}): Promise<TestNode> =>
  world.startNode({ redisUrl: proxy.through(server.url), environment: { REDIS_TIMEOUT_MS: '100', ...environment } })

/** Undefined where it is taken. */
async function recordView(): Promise<unknown> {
  const query = 'mutation ($id: ID!) { recordView(articleId: $id) }'
  const { errors } = await node.visitor.send(query, { id: toGlobalId('Article', 2) })
  return errors[0]?.extensions.code
}

async function counted(): Promise<number> {
  const [row] = await world.sql('select views::int from article_stats where article_id = 2')
  return Number(row?.views)
}

const breakerState = (of: TestNode) => metric(of, 'stet_breaker_state{name="redis"}')

async function hitsInRedis(of: TestNode): Promise<number> {
  const lines = (await metrics(of)).filter((line) =>
    /^stet_cache_requests_total\{.*tier="redis",result="hit"/.test(line),
  )
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function metric(of: TestNode, name: string): Promise<number> {
  return Number(
    (await metrics(of))
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1),
  )
}

const metrics = async ({ url }: TestNode) => (await readMetrics(url)).split('\n')
