import { createTestDatabase, startRedis } from '../../harness/index.ts'
import { addressOf } from './address-of.ts'
import type { Servers } from './servers.ts'
import { startTripwire, type Tripwire } from './tripwire.ts'

/** One PostgreSQL, one Redis, and between each node and each of them somebody who reads along. */
export interface TripwireServers extends Servers {
  /** By node. */
  readonly toPostgres: readonly Tripwire[]
  readonly toRedis: readonly Tripwire[]
}

export async function tripwireServers(nodes: number): Promise<TripwireServers> {
  const [database, redis] = await Promise.all([createTestDatabase(), startRedis()])
  const wiresTo = (url: string) => Promise.all(Array.from({ length: nodes }, () => startTripwire(addressOf(url))))
  const toPostgres = await wiresTo(database.url)
  const toRedis = await wiresTo(redis.url)
  const wires = [...toPostgres, ...toRedis]
  return {
    toPostgres,
    toRedis,
    databaseUrl: database.url,
    environment: { DATABASE_URL: database.url, REDIS_URL: redis.url },
    environmentOf: (node) => ({
      DATABASE_URL: toPostgres[node]?.through(database.url),
      REDIS_URL: toRedis[node]?.through(redis.url),
    }),
    async heal() {
      for (const wire of wires) wire.set(undefined)
    },
    async stop() {
      await Promise.all(wires.map((wire) => wire.close()))
      await redis.stop()
      await database.drop()
    },
  }
}
