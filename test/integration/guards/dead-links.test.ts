import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { addContent } from '../../api/add-content.ts'
import {
  createMigratedDatabase,
  createRedisPrefix,
  eventually,
  type FaultProxy,
  readMetric,
  sharedServers,
  startFaultProxy,
  startTestNode,
  type TestDatabase,
  type TestNode,
} from '../../harness/index.ts'

/** One node writes. The other hears of it through proxies, on connections that can go dead without a sign. */
let database: TestDatabase
let postgres: FaultProxy
let redis: FaultProxy
let nodes: TestNode[]

beforeEach(async () => {
  database = await createMigratedDatabase()
  postgres = await startFaultProxy(addressOf(database.url))
  redis = await startFaultProxy(addressOf(sharedServers().redisUrl))
  const redisPrefix = createRedisPrefix()
  const shared = { redisPrefix, environment: { REDIS_TIMEOUT_MS: '500', LOG_BEAT_MS: '60000' } }
  nodes = [
    await startTestNode({ ...shared, databaseUrl: database.url, redisUrl: sharedServers().redisUrl }),
    await startTestNode({
      ...shared,
      databaseUrl: postgres.through(database.url),
      redisUrl: redis.through(sharedServers().redisUrl),
    }),
  ]
  await addContent(database.url)
})

afterEach(async () => {
  for (const node of nodes) await node.close()
  await postgres.close()
  await redis.close()
  await database.drop()
})

it('opens the connection that subscribes anew when it is dead, and hears by Redis again', async () => {
  const [, other] = both()
  await hearsBy('redis')
  expect(redis.halfOpen('subscribe')).toBe(1)
  const cuts = () => readMetric(other.url, 'stet_links_cut_total', { link: 'redis subscriber' })
  await eventually(async () => (await cuts()) === 1)
  await hearsBy('redis')
  expect(await readiness(other)).toContain('redis subscriber: ok')
})

it('says so while it can hear nothing by Redis', async () => {
  const [writer, other] = both()
  redis.stall()
  await eventually(async () => (await readiness(other)).includes('redis subscriber: failing'))
  expect(await readMetric(other.url, 'stet_link_up', { link: 'redis subscriber' })).toBe(0)
  expect(await readiness(writer)).toContain('redis subscriber: ok')
  await redis.restore()
  await eventually(async () => (await readiness(other)).includes('redis subscriber: ok'))
  await hearsBy('redis')
})

it('opens the connection that listens anew when it is dead', async () => {
  const [, other] = both()
  await eventually(async () => (await readiness(other)).includes('notify: ok'))
  expect(postgres.halfOpen('listen stet')).toBe(1)
  await eventually(async () => (await readMetric(other.url, 'stet_links_cut_total', { link: 'notify' })) === 1)
  await eventually(async () => (await readiness(other)).includes('notify: ok'))
})

it('survives what Redis sends unasked, and works with it again', async () => {
  const [, other] = both()
  for (const nonsense of ['$-1\r\n', '*1\r\n$-1\r\n', '-ERR out of the blue\r\n', '*30000000\r\n'.repeat(20)]) {
    expect(redis.inject(nonsense, '')).toBeGreaterThan(1)
    await eventually(async () => /redis: ok(.|\n)*redis subscriber: ok/.test(await readiness(other)))
    await hearsBy('redis')
  }
})

/** Resolves once a write of one node reached the other by `source`. */
async function hearsBy(source: string): Promise<void> {
  const [writer, other] = both()
  const heard = () => readMetric(other.url, 'stet_invalidations_total', { source })
  const before = (await heard()) ?? 0
  await eventually(async () => {
    await writer.admin.get('mutation ($name: String!) { createTag(input: { name: $name }) { tag { slug } } }', {
      name: `Tag ${Math.random()}`,
    })
    return ((await heard()) ?? 0) > before
  })
}

function both(): [TestNode, TestNode] {
  const [writer, other] = nodes
  if (!writer || !other) throw new Error('there are two')
  return [writer, other]
}

const readiness = async (node: TestNode) => (await fetch(`${node.url}/readyz`)).text()

const addressOf = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port || 6379) })
