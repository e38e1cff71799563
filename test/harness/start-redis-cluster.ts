import { Redis } from 'ioredis'
import { eventually } from './eventually.ts'
import type { RedisServer } from './redis-server.ts'
import { reservePort } from './reserve-port.ts'
import { type FaultProxy, startFaultProxy } from './start-fault-proxy.ts'
import { startRedis } from './start-redis.ts'
import { getTestRun } from './test-run.ts'

export interface StartRedisClusterOptions {
  /** Each has a third of the slots, and so on. Default 3. */
  readonly masters?: number
  /** Of each master. Default 1. */
  readonly replicas?: 0 | 1
  /** More of redis-server's arguments. */
  readonly args?: readonly string[]
}

/** A Redis Cluster of a test's own. Clients are told of a proxy in the place of each node. */
export interface RedisCluster {
  /** For `REDIS_CLUSTER`. */
  readonly addresses: string
  /** Those that were masters when it began. */
  readonly masters: readonly RedisClusterNode[]
  /** In the order of their masters. */
  readonly replicas: readonly RedisClusterNode[]
  stop(): Promise<void>
}

export interface RedisClusterNode {
  readonly id: string
  readonly address: string
  readonly server: RedisServer
  readonly proxy: FaultProxy
  /** Past the proxy. */
  readonly admin: Redis
}

/** True where `startRedisCluster` can: servers in containers would tell each other, and clients, addresses that lead nowhere. */
export const canStartRedisCluster = (): boolean => getTestRun().redis.own?.kind === 'binaries'

export async function startRedisCluster(options: StartRedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters: count = 3, replicas = 1, args = [] } = options
  const nodes = await Promise.all(Array.from({ length: count * (1 + replicas) }, () => startNode(args)))
  const masters = nodes.slice(0, count)

  for (const [index, { admin }] of nodes.entries()) await admin.cluster('SET-CONFIG-EPOCH', index + 1)
  // Each with each: they would hear of one another, but slowly.
  for (const [index, { admin }] of nodes.entries()) {
    for (const { meet } of nodes.slice(index + 1)) await admin.cluster('MEET', ...meet)
  }
  for (const [index, { admin }] of masters.entries()) {
    const slot = (of: number) => Math.round((of * 16384) / count)
    await admin.cluster('ADDSLOTSRANGE', slot(index), slot(index + 1) - 1)
  }
  const all = (holds: (info: string) => boolean) =>
    eventually(async () =>
      (await Promise.all(nodes.map(({ admin }) => admin.cluster('INFO')))).every((info) => holds(String(info))),
    )
  await all((info) => info.includes(`cluster_known_nodes:${nodes.length}\r`))
  for (const [index, { admin }] of nodes.slice(count).entries()) {
    await eventually(() => admin.cluster('REPLICATE', masters[index]?.id ?? ''))
  }
  await all((info) => info.includes('cluster_state:ok') && info.includes(`cluster_size:${count}\r`))
  for (const { admin } of nodes.slice(count)) {
    await eventually(async () => (await admin.info('replication')).includes('master_link_status:up'))
  }
  // Every node must name every replica, or a client learns of fewer.
  await eventually(async () => {
    const maps = await Promise.all(nodes.map(({ admin }) => admin.cluster('SLOTS')))
    return maps.every((map) => (map as unknown[][]).every((range) => range.length === 3 + replicas))
  })
  return {
    addresses: nodes.map(({ address }) => address).join(','),
    masters,
    replicas: nodes.slice(count),
    stop: async () => {
      for (const { admin, proxy, server } of nodes) {
        admin.disconnect()
        await proxy.close()
        await server.stop()
      }
    },
  }
}

async function startNode(
  args: readonly string[],
): Promise<RedisClusterNode & { readonly meet: [string, number, number] }> {
  const busPort = await reservePort(getTestRun().directory)
  const server = await startRedis({
    args: ['--appendonly', 'no', '--cluster-enabled', 'yes', '--cluster-port', String(busPort), ...timing, ...args],
  })
  const { hostname, port } = new URL(server.url)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  const admin = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null, disconnectTimeout: 100 })
  admin.on('error', () => {})
  await admin.config('SET', 'cluster-announce-port', String(proxy.port))
  return {
    id: String(await admin.cluster('MYID')),
    address: `127.0.0.1:${proxy.port}`,
    server,
    proxy,
    admin,
    meet: [hostname, Number(port), busPort],
  }
}

/** Quick to notice a loss, and not so quick that a busy machine looks like one. Replicas stay where they are put. */
const timing = [
  ...['--cluster-node-timeout', '2000', '--cluster-replica-validity-factor', '0'],
  ...['--cluster-migration-barrier', '100', '--repl-diskless-sync-delay', '0'],
  // A replica is named once something was replicated.
  ...['--repl-ping-replica-period', '1'],
]
