import { Kysely, PostgresDialect } from 'kysely'
import type { ListeningClient } from '../invalidation/index.ts'
import { Connections } from './connections.ts'
import { Database, type SentStatement } from './database.ts'
import type { LoadLimitOptions } from './load-limit.ts'
import { createPool, type Pool } from './pool.ts'
import type { Tables } from './tables.ts'

export interface OpenDatabasesOptions {
  /** Absent: embedded, in `dataDirectory`. */
  readonly url: string | undefined
  readonly replicaUrl: string | undefined
  /** Where the content's tables stand. Default: `public`. */
  readonly schema?: string
  readonly dataDirectory: string
  readonly poolMax: number
  readonly statementTimeoutMs: number
  /** Default: eight at a time. */
  readonly loads?: LoadLimitOptions
  /** The same. */
  readonly writes?: LoadLimitOptions
  readonly onStatement?: (statement: SentStatement) => void
  readonly onReplicaError?: (error: Error) => void
  /** An idle connection broke. */
  readonly onError: (error: Error) => void
}

export interface OpenDatabases {
  readonly database: Database
  readonly primary: Pool
  /** For what follows the log: connections to the primary that neither loads nor writes can take. */
  readonly log: Pool
  /** Makes a client to LISTEN with. Undefined for an embedded database, which nobody else writes to. */
  readonly listen: (() => ListeningClient) | undefined
  readonly where: string
  /** Runs `work` with connections that wait as long as it takes: to migrate, or until others have. */
  unhurried<T>(work: (primary: Kysely<Tables>) => Promise<T>): Promise<T>
  /** Cuts every connection that many milliseconds from now, if any is left: what waits for them then fails. */
  cutAfter(ms: number): void
  close(): Promise<void>
}

/** Opens the primary, and the replica where there is one. Doesn't connect yet, unless embedded. */
export async function openDatabases(options: OpenDatabasesOptions): Promise<OpenDatabases> {
  const {
    url,
    replicaUrl,
    schema = 'public',
    dataDirectory,
    poolMax,
    statementTimeoutMs,
    loads = DEFAULT_LIMIT,
    writes = DEFAULT_LIMIT,
    onStatement,
    onError,
  } = options
  if (url === undefined) {
    // Here, because it is large and most servers have no use for it.
    const { openEmbedded } = await import('./embedded.ts')
    const { pool, close } = await openEmbedded(dataDirectory, schema)
    const database = new Database({ primary: pool, loads, writes, onStatement })
    return {
      database,
      primary: pool,
      log: pool,
      listen: undefined,
      where: `embedded PostgreSQL in ${dataDirectory}`,
      unhurried: (work) => work(database.primary),
      // It lives in this process, and waits for nobody.
      cutAfter: () => {},
      close,
    }
  }
  const connections = new Connections()
  const open = (url: string, max = poolMax) =>
    createPool({ url, schema, max, statementTimeoutMs, connections, onError })
  const primary = open(url)
  const log = open(url, LOG_POOL_MAX)
  const replica = replicaUrl === undefined ? undefined : open(replicaUrl)
  return {
    database: new Database({ primary, replica, loads, writes, onStatement, onReplicaError: options.onReplicaError }),
    primary,
    log,
    listen: () => connections.makeClient({ connectionString: url, application_name: 'stet listen', keepAlive: true }),
    where: `PostgreSQL at ${new URL(url).host}`,
    unhurried: async (work) => {
      const pool = createPool({ url, schema, max: 2, statementTimeoutMs: 0, onError })
      const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
      try {
        return await work(db)
      } finally {
        await db.destroy()
      }
    },
    cutAfter: (ms) => {
      setTimeout(() => connections.cut(), ms).unref()
    },
    close: async () => {
      await Promise.all([primary.end(), log.end(), replica?.end()])
    },
  }
}

const DEFAULT_LIMIT: LoadLimitOptions = { concurrent: 8, queued: 1000, waitMs: 1000 }
/** One follows it; the other prunes it, and says that it is well. */
const LOG_POOL_MAX = 2
