import { queryOnce, startPostgres, startRedis } from '../../harness/index.ts'
import type { Servers } from './servers.ts'

/** A standby that shows what the primary did 5 s ago, which every node loads from. */
export async function laggingServers(): Promise<Servers> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  const database = await postgres.createDatabase()
  const standby = await postgres.startStandby()
  await queryOnce(standby.url, `alter system set recovery_min_apply_delay = '5s'`)
  await queryOnce(standby.url, 'select pg_reload_conf()')
  const environment = { DATABASE_URL: database.url, REDIS_URL: redis.url }
  return {
    databaseUrl: database.url,
    environment,
    environmentOf: () => ({ ...environment, DATABASE_REPLICA_URL: standby.urlOf(database) }),
    async heal() {},
    async stop() {
      await Promise.all([redis.stop(), standby.stop()])
      await postgres.stop()
    },
  }
}
