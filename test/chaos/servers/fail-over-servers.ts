import { startFaultProxy, startPostgres, startRedis } from '../../harness/index.ts'
import { addressOf } from './address-of.ts'
import type { Servers } from './servers.ts'

/** A primary with a standby that can take over, once. */
export interface FailOverServers extends Servers {
  /** False from when the standby has taken over. */
  canFailOver(): boolean
  /** From when this resolves the standby hears nothing more of the primary, which goes on. */
  cutStandbyOff(): Promise<void>
  /** The primary dies, and the standby takes its place without what it did not hear of. */
  failOver(): Promise<void>
}

export async function failOverServers(nodes: number): Promise<FailOverServers> {
  const [primary, redis] = await Promise.all([startPostgres(), startRedis()])
  const database = await primary.createDatabase()
  const heir = await primary.startStandby()
  const proxies = await Promise.all(Array.from({ length: nodes }, () => startFaultProxy(addressOf(database.url))))
  let databaseUrl = database.url
  return {
    get databaseUrl() {
      return databaseUrl
    },
    get environment() {
      return { DATABASE_URL: databaseUrl, REDIS_URL: redis.url }
    },
    environmentOf: (node) => ({ DATABASE_URL: proxies[node]?.through(database.url), REDIS_URL: redis.url }),
    canFailOver: () => databaseUrl === database.url,
    async cutStandbyOff() {
      await heir.caughtUp()
      await heir.leave()
    },
    async failOver() {
      await Promise.all(proxies.map((proxy) => proxy.cut()))
      await primary.kill()
      await heir.promote()
      databaseUrl = heir.urlOf(database)
      for (const proxy of proxies) proxy.leadTo(addressOf(databaseUrl))
      await Promise.all(proxies.map((proxy) => proxy.restore()))
    },
    async heal() {
      await Promise.all(proxies.map((proxy) => proxy.restore()))
    },
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await Promise.all([redis.stop(), heir.stop(), primary.stop()])
    },
  }
}
