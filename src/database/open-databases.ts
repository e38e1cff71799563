import pg from 'pg'
import type { ListeningClient } from '../invalidation/index.ts'
import { Database } from './database.ts'
import { createPool, type Pool } from './pool.ts'

export interface OpenDatabasesOptions {
  /** Absent: embedded, in `dataDirectory`. */
  readonly url: string | undefined
  readonly replicaUrl: string | undefined
  readonly dataDirectory: string
  readonly poolMax: number
  readonly statementTimeoutMs: number
  readonly onStatement?: (kind: string) => void
  /** An idle connection broke. */
  readonly onError: (error: Error) => void
}

export interface OpenDatabases {
  readonly database: Database
  readonly primary: Pool
  /** Makes a client to LISTEN with. Undefined for an embedded database, which nobody else writes to. */
  readonly listen: (() => ListeningClient) | undefined
  readonly where: string
  close(): Promise<void>
}

/** Opens the primary, and the replica where there is one. Doesn't connect yet, unless embedded. */
export async function openDatabases(options: OpenDatabasesOptions): Promise<OpenDatabases> {
  const { url, replicaUrl, dataDirectory, poolMax, statementTimeoutMs, onStatement, onError } = options
  if (url === undefined) {
    // Here, because it is large and most servers have no use for it.
    const { openEmbedded } = await import('./embedded.ts')
    const { pool, close } = await openEmbedded(dataDirectory)
    const database = new Database({ primary: pool, onStatement })
    return { database, primary: pool, listen: undefined, where: `embedded PostgreSQL in ${dataDirectory}`, close }
  }
  const open = (url: string) => createPool({ url, max: poolMax, statementTimeoutMs, onError })
  const primary = open(url)
  const replica = replicaUrl === undefined ? undefined : open(replicaUrl)
  return {
    database: new Database({ primary, replica, onStatement }),
    primary,
    listen: () => new pg.Client({ connectionString: url, application_name: 'stet listen', keepAlive: true }),
    where: `PostgreSQL at ${new URL(url).host}`,
    close: async () => {
      await Promise.all([primary.end(), replica?.end()])
    },
  }
}
