import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually, type RedisServer, startRedis, type TestNode } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './article-world.ts'

/** Redis goes, and comes back with less or older data than it had. */
let world: ArticleWorld
let redis: RedisServer
let nodes: readonly [TestNode, TestNode]

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

beforeEach(async () => {
  world = await createArticleWorld()
  nodes = [await world.startNode({ redisUrl: redis.url }), await world.startNode({ redisUrl: redis.url })]
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('old')
  for (const node of nodes) await node.flush()
  expect(await countEntries()).toBeGreaterThan(0)
})

afterEach(() => world.end())

it('shows a write made while Redis was down, once Redis is back with the old data', async () => {
  await redis.kill()
  const { title, token } = await writeTitle(nodes[0].admin, 'new')
  expect(title).toBe('new')
  await redis.restart({ keepData: true })
  expect(await countEntries()).toBeGreaterThan(0) // the old row among them
  await expectNew(token)
})

it('shows a write made while Redis was down, once Redis is back with nothing', async () => {
  await redis.kill()
  const { token } = await writeTitle(nodes[0].admin, 'new')
  await redis.restart({ keepData: false })
  expect(await countEntries()).toBe(0)
  await expectNew(token)
})

it('shows every write though Redis loses all it held after each', async () => {
  for (let round = 1; round <= 3; round++) {
    const { token } = await writeTitle(nodes[round % 2 === 0 ? 0 : 1].admin, `round ${round}`)
    await redis.restart({ keepData: false })
    for (const node of nodes) expect(await readTitle(node.visitor, token)).toBe(`round ${round}`)
  }
})

async function expectNew(token: string | null): Promise<void> {
  for (const node of nodes) expect(await readTitle(node.visitor, token)).toBe('new')
  // One that has nothing but what Redis holds.
  const fresh = await world.startNode({ redisUrl: redis.url })
  expect(await readTitle(fresh.visitor)).toBe('new')
  // And again, when all are connected and their entries are in Redis.
  for (const node of nodes) await eventually(async () => (await readiness(node)).includes('redis: ok'))
  const { token: last } = await writeTitle(nodes[1].admin, 'newest')
  for (const node of [...nodes, fresh]) expect(await readTitle(node.visitor, last)).toBe('newest')
}

const readiness = async (node: TestNode) => (await fetch(`${node.url}/readyz`)).text()

async function countEntries(): Promise<number> {
  const client = new Redis(redis.url)
  try {
    return (await client.keys(`${world.redisPrefix}*`)).length
  } finally {
    client.disconnect()
  }
}
