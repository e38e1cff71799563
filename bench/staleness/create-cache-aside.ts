import { connectRedis } from '../connect-redis.ts'
import { type Contestant, type ContestantOptions, NODES } from './contestant.ts'

/** The usual cache-aside: a read tries memory, Redis, then the database; a write deletes the key everywhere, by pub/sub. Entries live for a minute. */
export async function createCacheAside({
  pool,
  redisUrl,
  prefix,
  deliver,
  linger,
}: ContestantOptions): Promise<Contestant> {
  const redis = connectRedis(redisUrl)
  const memories = Array.from({ length: NODES }, () => new Map<number, number>())

  return {
    read: async (node, key) => {
      const memory = memories[node] ?? new Map()
      const near = memory.get(key)
      if (near !== undefined) return near
      const far = await redis.get(prefix + key)
      if (far !== null) {
        memory.set(key, Number(far))
        return Number(far)
      }
      const { rows } = await pool.query<{ version: number }>('select version from counters where id = $1', [key])
      const version = rows[0]?.version ?? 0
      await linger()
      await redis.set(prefix + key, version, 'EX', 60)
      memory.set(key, version)
      return version
    },
    write: async (node, key) => {
      const { rows } = await pool.query<{ version: number }>(
        'update counters set version = version + 1 where id = $1 returning version',
        [key],
      )
      await redis.del(prefix + key)
      memories[node]?.delete(key)
      for (const memory of memories) if (memory !== memories[node]) deliver(() => memory.delete(key))
      return rows[0]?.version ?? 0
    },
    close: async () => redis.disconnect(),
  }
}
