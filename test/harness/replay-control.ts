import { type TestDatabase, withDatabase } from './create-test-database.ts'
import { eventually } from './eventually.ts'
import type { Standby } from './postgres-server.ts'
import { queryOnce } from './query-once.ts'

/** What a standby can be told over SQL, however its server was started. */
export function replayControl(primaryUrl: string, url: string): Omit<Standby, 'pause' | 'resume' | 'stop'> {
  return {
    url,
    urlOf: (database: TestDatabase) => withDatabase(url, database.name),
    async pauseReplay() {
      await queryOnce(url, 'select pg_wal_replay_pause()')
      // The function only asks; the replaying process answers when it next looks.
      await eventually(async () => (await single(url, 'select pg_get_wal_replay_pause_state()')) === 'paused')
    },
    async resumeReplay() {
      await queryOnce(url, 'select pg_wal_replay_resume()')
    },
    async caughtUp(other = { url: primaryUrl }) {
      const target = await single(other.url, 'select pg_current_wal_lsn()')
      const reached = 'select pg_last_wal_replay_lsn() >= $1::pg_lsn'
      await eventually(async () => (await single(url, reached, [target])) === true)
    },
    async leave() {
      await queryOnce(url, `alter system set primary_conninfo = ''`)
      await queryOnce(url, 'select pg_reload_conf()')
      await eventually(async () => (await queryOnce(url, 'select from pg_stat_wal_receiver')).length === 0)
    },
    async follow(other) {
      const { hostname, port, username } = new URL(other.url)
      await queryOnce(url, `alter system set primary_conninfo = 'host=${hostname} port=${port} user=${username}'`)
      await queryOnce(url, 'select pg_reload_conf()')
      const streams = `select from pg_stat_wal_receiver where status = 'streaming' and sender_port = $1`
      await eventually(async () => (await queryOnce(url, streams, [port])).length === 1)
    },
    async promote() {
      const promoted = await single(url, 'select pg_promote(true, 30)')
      if (promoted !== true) throw new Error('the standby did not become a primary within 30 s')
    },
  }
}

async function single(url: string, text: string, values?: readonly unknown[]): Promise<unknown> {
  const [row = {}] = await queryOnce(url, text, values)
  return Object.values(row)[0]
}
