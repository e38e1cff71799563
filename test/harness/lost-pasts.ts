import type { TestDatabase } from './create-test-database.ts'
import { DatabaseDump } from './database-dump.ts'
import { eventually } from './eventually.ts'
import { queryOnce } from './query-once.ts'
import { startPostgres } from './start-postgres.ts'

/** A database that loses what is written after a mark. */
export interface LostPast {
  readonly database: TestDatabase
  /** From when this resolves, what is written will be lost. Resolves with where it is written. */
  mark(): Promise<string>
  /** Resolves with where the database is now, without what was written after the mark. */
  lose(): Promise<string>
  /** False once nothing more can be lost in this way. */
  canLose(): boolean
  stop(): Promise<void>
}

/** The ways in which that happens, by name. */
export const LOST_PASTS = {
  'a dump is restored in place': async () => {
    const server = await startPostgres()
    const database = await server.createDatabase()
    const { url } = database
    const dump = new DatabaseDump()
    return {
      database,
      async mark() {
        await dump.take(url)
        return url
      },
      async lose() {
        await restore(dump, url)
        return url
      },
      canLose: () => true,
      async stop() {
        dump.remove()
        await server.stop()
      },
    }
  },

  'a dump is restored into a fresh cluster of the same layout': async () => {
    let server = await startPostgres()
    const database = await server.createDatabase()
    let url = database.url
    const dump = new DatabaseDump()
    return {
      database,
      async mark() {
        await dump.take(url)
        return url
      },
      async lose() {
        const fresh = await startPostgres()
        await queryOnce(fresh.url, `create database ${database.name}`)
        const restored = new URL(fresh.url)
        restored.pathname = database.name
        await restore(dump, restored.href)
        await server.stop()
        server = fresh
        url = restored.href
        return url
      },
      canLose: () => true,
      async stop() {
        dump.remove()
        await server.stop()
      },
    }
  },

  'another standby is promoted from the same point': async () => {
    const server = await startPostgres()
    const database = await server.createDatabase()
    const heirs = [await server.startStandby(), await server.startStandby()] as const
    const [first, second] = heirs
    let isLost = false
    return {
      database,
      async mark() {
        for (const heir of heirs) await heir.caughtUp()
        await Promise.all(heirs.map((heir) => heir.leave()))
        await server.kill()
        await first.promote()
        return first.urlOf(database)
      },
      async lose() {
        isLost = true
        await first.stop()
        await second.promote()
        return second.urlOf(database)
      },
      canLose: () => !isLost,
      async stop() {
        for (const one of [...heirs, server]) await one.stop()
      },
    }
  },

  /** Everything is called as before: the cluster, its timeline, the database, the tables. */
  'the server crashes under synchronous_commit=off': async () => {
    const server = await startPostgres({ settings: { synchronous_commit: 'off', autovacuum: 'off' } })
    const database = await server.createDatabase()
    const { url } = database
    return {
      database,
      async mark() {
        await queryOnce(url, 'checkpoint')
        // It would write most of what follows before the server crashes. What it never wrote is lost.
        const [row] = await queryOnce(url, `select pid from pg_stat_activity where backend_type = 'walwriter'`)
        process.kill(Number(row?.pid), 'SIGSTOP')
        return url
      },
      async lose() {
        await server.kill()
        await server.restart()
        return url
      },
      canLose: () => true,
      stop: () => server.stop(),
    }
  },
} satisfies Readonly<Record<string, () => Promise<LostPast>>>

/** A client with `psql` may still write: then the restore may be the one that is ended by a deadlock. */
const restore = (dump: DatabaseDump, url: string) => eventually(() => dump.restore(url).then(() => true))
