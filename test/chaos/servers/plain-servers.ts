import {
  createTestDatabase,
  type FaultProxy,
  type RedisServer,
  type StartRedisOptions,
  startFaultProxy,
  startRedis,
} from '../../harness/index.ts'
import { addressOf } from './address-of.ts'
import type { Servers } from './servers.ts'

/** One PostgreSQL, one Redis of the world's own, and a proxy between each node and each of them. */
export interface PlainServers extends Servers {
  readonly redis: RedisServer
  /** By node. */
  readonly redisProxies: readonly FaultProxy[]
  readonly postgresProxies: readonly FaultProxy[]
}

/** Redis keeps what it acknowledged over a restart that asks for it. */
export async function plainServers(nodes: number, options: StartRedisOptions = {}): Promise<PlainServers> {
  const [database, redis] = await Promise.all([createTestDatabase(), startRedis(options)])
  const proxiesTo = (url: string) => Promise.all(Array.from({ length: nodes }, () => startFaultProxy(addressOf(url))))
  const redisProxies = await proxiesTo(redis.url)
  const postgresProxies = await proxiesTo(database.url)
  const proxies = [...redisProxies, ...postgresProxies]
  return {
    redis,
    redisProxies,
    postgresProxies,
    databaseUrl: database.url,
    environment: { DATABASE_URL: database.url, REDIS_URL: redis.url },
    environmentOf: (node) => ({
      DATABASE_URL: postgresProxies[node]?.through(database.url),
      REDIS_URL: redisProxies[node]?.through(redis.url),
    }),
    async heal() {
      await Promise.all(proxies.map((proxy) => proxy.restore()))
      await redis.resume()
    },
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await redis.stop()
      await database.drop()
    },
  }
}
