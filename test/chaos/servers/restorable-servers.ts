import { DatabaseDump, eventually, queryOnce, startFaultProxy, startPostgres, startRedis } from '../../harness/index.ts'
import { addressOf } from './address-of.ts'
import type { Servers } from './servers.ts'

/** A PostgreSQL whose dump can take its place. Redis keeps what it holds. */
export interface RestorableServers extends Servers {
  dump(): Promise<void>
  /** Into the database that was dumped. */
  restoreInPlace(): Promise<void>
  /** Into another cluster, which takes the place of the one that was dumped. */
  restoreElsewhere(): Promise<void>
}

export async function restorableServers(nodes: number): Promise<RestorableServers> {
  const [first, redis] = await Promise.all([startPostgres(), startRedis()])
  const database = await first.createDatabase()
  const proxies = await Promise.all(Array.from({ length: nodes }, () => startFaultProxy(addressOf(database.url))))
  const dump = new DatabaseDump()
  let postgres = first
  let databaseUrl = database.url
  return {
    get databaseUrl() {
      return databaseUrl
    },
    get environment() {
      return { DATABASE_URL: databaseUrl, REDIS_URL: redis.url }
    },
    environmentOf: (node) => ({ DATABASE_URL: proxies[node]?.through(database.url), REDIS_URL: redis.url }),
    dump: () => dump.take(databaseUrl),
    // Somebody with `psql` writes on: the restore may be the one that is ended by a deadlock.
    async restoreInPlace() {
      await eventually(() =>
        dump.restore(databaseUrl).then(
          () => true,
          () => false,
        ),
      )
    },
    async restoreElsewhere() {
      const fresh = await startPostgres()
      await queryOnce(fresh.url, `create database ${database.name}`)
      const restored = new URL(fresh.url)
      restored.pathname = database.name
      await dump.restore(restored.href)
      await postgres.stop()
      postgres = fresh
      databaseUrl = restored.href
      for (const proxy of proxies) proxy.leadTo(addressOf(databaseUrl))
    },
    async heal() {
      await Promise.all(proxies.map((proxy) => proxy.restore()))
    },
    async stop() {
      dump.remove()
      await Promise.all(proxies.map((proxy) => proxy.close()))
      await Promise.all([redis.stop(), postgres.stop()])
    },
  }
}
