/** Servers, databases and nodes for a whole suite: each is started where the suite asks for it, and ended after its last test. */
import { afterAll } from '@jest/globals'
import { Redis } from 'ioredis'
import { createMigratedDatabase } from './create-copy.ts'
import { createRedisPrefix } from './create-redis-prefix.ts'
import type { TestDatabase } from './create-test-database.ts'
import { startTestNode, type TestNode, type TestNodeOptions } from './start-test-node.ts'
import { sharedServers } from './test-run.ts'

/** A new database on the shared server. It has the tables and no content. */
export async function useDatabase(): Promise<TestDatabase> {
  return use(await createMigratedDatabase(), (database) => database.drop())
}

/**
 * A node in this process.
 *
 * @example
 * const database = await useDatabase()
 * const node = await useNode({ database, environment: { LOG_BEAT_MS: '60000' } })
 */
export async function useNode({ database, redis, ...options }: UseNodeOptions): Promise<TestNode> {
  const node = await startTestNode({ databaseUrl: database.url, ...redis, ...options })
  return use(node, () => node.close())
}

interface UseNodeOptions extends Omit<TestNodeOptions, 'databaseUrl'> {
  readonly database: TestDatabase
  /** Nodes that share it share their entries. */
  readonly redis?: SharedRedis
}

/** A part of the shared Redis that is this suite's own. */
export function useRedis(): SharedRedis {
  return { redisUrl: sharedServers().redisUrl, redisPrefix: createRedisPrefix() }
}

interface SharedRedis {
  readonly redisUrl: string
  /** Begins all keys and channels. */
  readonly redisPrefix: string
}

/** A client of the shared Redis, to look behind the nodes. */
export function useRedisClient(): Redis {
  return use(new Redis(sharedServers().redisUrl), (client) => client.disconnect())
}

/** Has anything ended after the last test. What was started last is ended first. */
export function use<T>(started: T, end: (started: T) => unknown): T {
  ends.unshift(() => end(started))
  return started
}

const ends: (() => unknown)[] = []

afterAll(async () => {
  for (const end of ends) await end()
})
