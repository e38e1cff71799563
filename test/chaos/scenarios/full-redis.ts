import { Redis } from 'ioredis'
import { type StruckWorld, scenario, type Tolerance } from '../scenario.ts'
import { type PlainServers, plainServers } from '../servers/plain-servers.ts'

const viewsOnly: Tolerance = { errors: ['OVERLOADED', 'TIMEOUT', 'NOT_CAUGHT_UP'] }

export default [
  scenario({
    name: 'Redis is full, and evicts nothing, or what has a time to live',
    servers: plainServers,
    // The queue has none, so no view is lost.
    tolerates: viewsOnly,
    strike: (world) => fill(world, ['noeviction', 'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl']),
  }),

  scenario({
    name: 'Redis is full, and evicts any key',
    servers: plainServers,
    tolerates: { ...viewsOnly, losses: ['lost view'] },
    onlyLong: true,
    strike: (world) => fill(world, ['allkeys-lru', 'allkeys-lfu', 'allkeys-random']),
  }),
]

/** Under one policy after the other, some of what Redis holds is too much. */
async function fill({ servers, dice, hold, note }: StruckWorld<PlainServers>, policies: string[]): Promise<void> {
  const admin = new Redis(servers.redis.url)
  try {
    for (const policy of policies) {
      const [all, entries] = await Promise.all([memory(admin, 'used_memory'), memory(admin, 'used_memory_dataset')])
      const most = all - dice.below(Math.ceil(entries / 2))
      await admin.config('SET', 'maxmemory', most, 'maxmemory-policy', policy)
      note(`Redis may hold ${most} bytes of ${all}, ${policy}`)
      await hold(100, 500)
      await admin.config('SET', 'maxmemory', 0)
      note('Redis may hold all it likes')
      await hold(0, 200)
    }
  } finally {
    await admin.config('SET', 'maxmemory', 0, 'maxmemory-policy', 'noeviction')
    admin.disconnect()
  }
}

async function memory(admin: Redis, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await admin.info('memory'))?.[1])
}
