import {
  canStartRedisCluster,
  createTestDatabase,
  type RedisCluster,
  type RedisClusterNode,
  startRedisCluster,
} from '../../harness/index.ts'
import type { Servers } from './servers.ts'

/** One PostgreSQL, and a Redis Cluster of three masters, each with a replica. Only where servers run as processes. */
export interface ClusterServers extends Servers {
  readonly cluster: RedisCluster
  /** The masters of now, all of which must be alive. */
  masters(): Promise<readonly Master[]>
}

interface Master extends RedisClusterNode {
  readonly slots: readonly number[]
  readonly replica: RedisClusterNode
}

export async function clusterServers(): Promise<ClusterServers> {
  if (!canStartRedisCluster()) throw new Error('A Redis Cluster needs redis-server or valkey-server on PATH.')
  const [database, cluster] = await Promise.all([createTestDatabase(), startRedisCluster()])
  const all = [...cluster.masters, ...cluster.replicas]
  const environment = { DATABASE_URL: database.url, REDIS_CLUSTER: cluster.addresses }
  return {
    cluster,
    databaseUrl: database.url,
    environment,
    environmentOf: () => environment,
    masters: () =>
      Promise.all(
        cluster.masters.map(async (first, index): Promise<Master> => {
          const second = cluster.replicas[index] as RedisClusterNode
          const [node, replica] = (await isMaster(first)) ? [first, second] : [second, first]
          return { ...node, replica, slots: await slotsOf(node) }
        }),
      ),
    async heal() {
      await Promise.all(all.map(({ proxy }) => proxy.restore()))
    },
    async stop() {
      await cluster.stop()
      await database.drop()
    },
  }
}

export const isMaster = async ({ admin }: RedisClusterNode): Promise<boolean> => (await admin.role())[0] === 'master'

/** As it says itself. */
async function slotsOf({ id, admin }: RedisClusterNode): Promise<number[]> {
  const ranges = await admin.cluster('SLOTS')
  return ranges.flatMap(([first, last, master]) =>
    master?.[2] === id ? Array.from({ length: last - first + 1 }, (_, index) => first + index) : [],
  )
}
