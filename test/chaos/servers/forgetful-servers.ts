import { type LostPast, queryOnce, startFaultProxy, startRedis } from '../../harness/index.ts'
import type { LogEnd } from '../history/history.ts'
import { addressOf } from './address-of.ts'
import type { Servers, StartServers } from './servers.ts'

/** A PostgreSQL that can lose what was written after a mark. Redis keeps what it holds. */
export interface ForgetfulServers extends Servers {
  /** False once nothing more can be lost. */
  canLose(): boolean
  /** From when this resolves, what is written will be lost. */
  mark(): Promise<void>
  /**
   * Loses it. Resolves with where each epoch ends that survived, before any node has asked.
   * @param cutOff a node that can't reach the database from then on
   */
  lose(cutOff?: number): Promise<readonly LogEnd[]>
}

/** @param environment of every node, and of every command */
export function forgetfulServers(
  begin: () => Promise<LostPast>,
  environment: NodeJS.ProcessEnv = {},
): StartServers<ForgetfulServers> {
  return async (nodes) => {
    const [past, redis] = await Promise.all([begin(), startRedis()])
    const { database } = past
    const proxies = await Promise.all(Array.from({ length: nodes }, () => startFaultProxy(addressOf(database.url))))
    let databaseUrl = database.url
    const leadTo = async (url: string) => {
      databaseUrl = url
      for (const proxy of proxies) proxy.leadTo(addressOf(url))
    }
    return {
      get databaseUrl() {
        return databaseUrl
      },
      get environment() {
        return { ...environment, DATABASE_URL: databaseUrl, REDIS_URL: redis.url }
      },
      environmentOf: (node) => ({
        ...environment,
        DATABASE_URL: proxies[node]?.through(database.url),
        REDIS_URL: redis.url,
      }),
      canLose: past.canLose,
      mark: async () => leadTo(await past.mark()),
      async lose(cutOff) {
        await Promise.all(proxies.map((proxy) => proxy.cut()))
        await leadTo(await past.lose())
        const ends = await queryOnce(
          databaseUrl,
          'select epoch::text, max(position)::int as last from stet.log group by epoch',
        )
        await Promise.all(proxies.map((proxy, node) => (node === cutOff ? undefined : proxy.restore())))
        return ends as unknown as readonly LogEnd[]
      },
      async heal() {
        await Promise.all(proxies.map((proxy) => proxy.restore()))
      },
      async stop() {
        await Promise.all(proxies.map((proxy) => proxy.close()))
        await Promise.all([redis.stop(), past.stop()])
      },
    }
  }
}
