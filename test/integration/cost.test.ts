import { expect, it } from '@jest/globals'
import { Kysely, PostgresDialect } from 'kysely'
import { seedContent } from '../../src/content/index.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import {
  createRedisPrefix,
  eventually,
  queryOnce,
  sharedServers,
  startFaultProxy,
  startTestNode,
  type TestNode,
} from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'

/** Between the node and its servers stand proxies that count how often it asks: nothing is taken from our own metrics. */
const database = await useDatabase()
const postgres = use(await startFaultProxy(hostAndPort(sharedServers().postgresUrl)), (it) => it.close())
const redis = use(await startFaultProxy(hostAndPort(sharedServers().redisUrl)), (it) => it.close())
const pool = createPool({ url: database.url, max: 1, statementTimeoutMs: 0, onError: () => {} })
const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
await migrate(db)
await seedContent(db, { articles: 200 })
await db.destroy()

const LIST = 'query ($first: Int!) { articles(first: $first) { nodes { title author { displayName } tags { name } } } }'

it('answers a cold list with at most 4 SQL statements and 5 Redis round trips, then from Redis in one, then from memory', async () => {
  const redisPrefix = createRedisPrefix()
  const cold = await withNode(redisPrefix, async (node) => {
    const first = await cost(node, 20)
    // An answer to a POST is kept from the second time on.
    expect((await cost(node, 20)).sql).toBe(0)
    return first
  })
  expect(cold.sql).toBeGreaterThan(0)
  expect(cold.sql).toBeLessThanOrEqual(4)
  expect(cold.redis).toBeGreaterThan(0)
  // One for the whole answer, one for each level of what it is made of.
  expect(cold.redis).toBeLessThanOrEqual(5)

  await withNode(redisPrefix, async (fresh) => {
    const fromRedis = await cost(fresh, 20)
    expect(fromRedis.sql).toBe(0)
    expect(fromRedis.redis).toBeLessThanOrEqual(1)
    expect(await cost(fresh, 20)).toEqual({ sql: 0, redis: 0 })
  })
})

it('asks for 50 articles as often as for 5', async () => {
  const five = await withNode(createRedisPrefix(), (node) => cost(node, 5))
  const fifty = await withNode(createRedisPrefix(), (node) => cost(node, 50))
  expect(fifty.sql).toBeLessThanOrEqual(five.sql)
  expect(fifty.redis).toBeLessThanOrEqual(five.redis)
})

async function withNode<T>(redisPrefix: string, use: (node: TestNode) => Promise<T>): Promise<T> {
  const node = await startTestNode({
    databaseUrl: postgres.through(database.url),
    redisUrl: redis.through(sharedServers().redisUrl),
    redisPrefix,
    // Neither the beat, nor a look at queues, nor the opening of a second connection is counted; and a slow machine doesn't
    // part what travels together.
    environment: { LOG_BEAT_MS: '60000', WORKER: 'off', DATABASE_POOL_MAX: '1', REDIS_LINGER_MS: '60000' },
  })
  try {
    await eventually(isListening)
    // Nor the opening of the first, which loads share with nobody that was here before.
    await node.visitor.get('{ tag(slug: "nowhere") { name } }')
    await node.flush()
    return await use(node)
  } finally {
    await node.close()
    await eventually(async () => !(await isListening()))
  }
}

/** The node opens this connection in the background; it must not be counted. Once it listens, it is asked now and then. */
async function isListening(): Promise<boolean> {
  const rows = await queryOnce(
    database.url,
    `select from pg_stat_activity where datname = $1 and query in ('listen stet', 'select')`,
    [database.name],
  )
  return rows.length > 0
}

/** What one query costs, the storing of what it missed included. */
async function cost(node: TestNode, first: number): Promise<{ sql: number; redis: number }> {
  postgres.resetCounts()
  redis.resetCounts()
  const { articles } = await node.visitor.get<{ articles: { nodes: { tags: unknown[] }[] } }>(LIST, { first })
  expect(articles.nodes).toHaveLength(first)
  expect(articles.nodes.flatMap(({ tags }) => tags).length).toBeGreaterThan(first)
  await node.flush()
  return { sql: postgres.roundTrips(), redis: redis.roundTrips() }
}

function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
