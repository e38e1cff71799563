import { type PostgresServer, startFaultProxy, startPostgres, startRedis } from '../../harness/index.ts'
import { addressOf } from './address-of.ts'
import type { PlainServers } from './plain-servers.ts'

/** As plain servers, but PostgreSQL too is the world's own, to be killed and stopped. */
export interface PostgresServers extends PlainServers {
  readonly postgres: PostgresServer
}

export async function postgresServers(nodes: number): Promise<PostgresServers> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  const database = await postgres.createDatabase()
  const proxiesTo = (url: string) => Promise.all(Array.from({ length: nodes }, () => startFaultProxy(addressOf(url))))
  const redisProxies = await proxiesTo(redis.url)
  const postgresProxies = await proxiesTo(database.url)
  const proxies = [...redisProxies, ...postgresProxies]
  return {
    postgres,
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
      await postgres.resume()
    },
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await Promise.all([redis.stop(), postgres.stop()])
    },
  }
}
