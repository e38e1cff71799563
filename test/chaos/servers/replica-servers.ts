import {
  type FaultProxy,
  queryOnce,
  type Standby,
  startFaultProxy,
  startPostgres,
  startRedis,
} from '../../harness/index.ts'
import { addressOf } from './address-of.ts'
import type { Servers } from './servers.ts'

/** A primary, and a standby that every node loads from, through a proxy of its own. */
export interface ReplicaServers extends Servers {
  readonly standby: Standby
  /** By node. */
  readonly replicaProxies: readonly FaultProxy[]
}

export async function replicaServers(nodes: number): Promise<ReplicaServers> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  const database = await postgres.createDatabase()
  const standby = await postgres.startStandby()
  const replicaProxies = await Promise.all(Array.from({ length: nodes }, () => startFaultProxy(addressOf(standby.url))))
  const environment = { DATABASE_URL: database.url, REDIS_URL: redis.url }
  return {
    standby,
    replicaProxies,
    databaseUrl: database.url,
    environment,
    environmentOf: (node) => ({
      ...environment,
      DATABASE_REPLICA_URL: replicaProxies[node]?.through(standby.urlOf(database)),
    }),
    async heal() {
      await Promise.all(replicaProxies.map((proxy) => proxy.restore()))
      await standby.resume()
    },
    async stop() {
      await Promise.all(replicaProxies.map((proxy) => proxy.close()))
      await Promise.all([redis.stop(), standby.stop()])
      await postgres.stop()
    },
  }
}

/** The same, with a standby that shows what the primary did 5 s ago. */
export async function laggingServers(nodes: number): Promise<ReplicaServers> {
  const servers = await replicaServers(nodes)
  await queryOnce(servers.standby.url, `alter system set recovery_min_apply_delay = '5s'`)
  await queryOnce(servers.standby.url, 'select pg_reload_conf()')
  return servers
}
