import type { Kysely } from 'kysely'
import type { ConnectionPool, ListeningClient, SqlClient } from '../invalidation/index.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { openKysely } from './open-kysely.ts'
import { Connections, createPool, type Pool, type PoolOptions } from './pool.ts'
import { Replica, type ReplicaOptions } from './replica.ts'
import type { Tables } from './tables.ts'

export interface OpenDatabasesOptions
  extends Omit<DatabaseOptions, 'primary' | 'replica'>,
    Pick<PoolOptions, 'schema' | 'statementTimeoutMs' | 'onError'> {
  /** Undefined: embedded PostgreSQL, in `dataDirectory`. */
  readonly url: string | undefined
  readonly replica?: Pick<ReplicaOptions, 'url' | 'timeoutMs' | 'observer' | 'clock'> | undefined
  readonly dataDirectory: string
  readonly poolMax: number
}

export interface OpenDatabases {
  readonly database: Database
  readonly primary: Pool
  /** Connections to the primary for those that follow the log. Neither loads nor writes can take them. */
  readonly log: SqlClient | ConnectionPool
  /** Makes a client to LISTEN with. Undefined for an embedded database, because no other process writes to it. */
  readonly listen: (() => ListeningClient) | undefined
  readonly where: string
  /** Runs `work` with connections that have no time-out: to migrate, or to wait until another process has. */
  unhurried<T>(work: (primary: Kysely<Tables>) => Promise<T>): Promise<T>
  /** Cuts every connection that is still open in `ms` milliseconds. Statements that wait on them then fail. */
  cutAfter(ms: number): void
  close(): Promise<void>
}

/** Opens the primary, and the replica if there is one, which is probed from now on. Waits for neither, unless the primary is embedded. */
export async function openDatabases(options: OpenDatabasesOptions): Promise<OpenDatabases> {
  const { url, schema = 'public', dataDirectory, poolMax, statementTimeoutMs, loads, onStatement, onError } = options
  if (url === undefined) {
    // Imported here, because it is large and most servers don't need it.
    const { openEmbedded } = await import('./embedded.ts')
    const { pool, close } = await openEmbedded(dataDirectory, schema)
    const database = new Database({ ...options, primary: pool, replica: undefined })
    return {
      database,
      primary: pool,
      // No pool, to the log: it is part of this process, and its only connection must not be cut.
      log: { query: (text, values) => pool.query(text, values) },
      listen: undefined,
      where: `embedded PostgreSQL in ${dataDirectory}`,
      unhurried: (work) => work(database.primary),
      // It is part of this process, and has no connections to cut.
      cutAfter: () => {},
      close,
    }
  }
  const connections = new Connections()
  const open = (max: number) => createPool({ url, schema, max, statementTimeoutMs, connections, onError })
  const primary = open(poolMax)
  const log = open(LOG_POOL_MAX)
  const replica =
    options.replica && new Replica({ ...options.replica, schema, max: poolMax, primary: log, loads, onStatement })
  replica?.start()
  return {
    database: new Database({ ...options, primary, replica }),
    primary,
    log,
    listen: () =>
      connections.makeClient({
        connectionString: url,
        application_name: 'stet listen',
        keepAlive: true,
        connectionTimeoutMillis: 5000,
      }),
    where: `PostgreSQL at ${new URL(url).host}`,
    unhurried: async (work) => {
      const pool = createPool({ url, schema, max: 2, statementTimeoutMs: 0, onError })
      const db = openKysely(pool, 'primary')
      try {
        return await work(db)
      } finally {
        await db.destroy()
      }
    },
    cutAfter: (ms) => {
      setTimeout(() => {
        connections.cut()
        replica?.cut()
      }, ms).unref()
    },
    close: async () => {
      await Promise.all([primary.end(), log.end(), replica?.stop()])
    },
  }
}

/**
 * One connection follows the log. The second is asked if the first hangs. The third prunes the log, checks that the server is well,
 * and asks it who it is.
 */
const LOG_POOL_MAX = 3
