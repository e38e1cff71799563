import type { Kysely } from 'kysely'
import { readConfig } from '../app/config.ts'
import { migrate, openDatabases, type Tables } from '../database/index.ts'

/** Runs `work` with the configured database, migrated. */
export async function withDatabase<T>(work: (primary: Kysely<Tables>) => Promise<T>): Promise<T> {
  const config = readConfig()
  const databases = await openDatabases({
    url: config.databaseUrl,
    replicaUrl: undefined,
    dataDirectory: config.dataDirectory,
    poolMax: 2,
    // Long work is the very point here.
    statementTimeoutMs: 0,
    onError: (error) => console.error(`stet: ${error.message}`),
  })
  try {
    await migrate(databases.database.primary)
    return await work(databases.database.primary)
  } finally {
    await databases.close()
  }
}
