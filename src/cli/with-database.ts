import type { Kysely } from 'kysely'
import { readConfig } from '../app/config.ts'
import { migrate, openDatabases, type Tables } from '../database/index.ts'
import { hideCredentials } from '../kernel/hide-credentials.ts'

/** Opens the configured database, migrates it, runs `work` with it, and closes it. `work` also gets the migrations that were applied. */
export async function withDatabase<T>(
  work: (primary: Kysely<Tables>, applied: readonly string[]) => Promise<T>,
  { migrates = true } = {},
): Promise<T> {
  const config = readConfig()
  const databases = await openDatabases({
    url: config.databaseUrl,
    schema: config.databaseSchema,
    dataDirectory: config.dataDirectory,
    poolMax: 2,
    // Commands may run long statements.
    statementTimeoutMs: 0,
    onError: (error) => console.error(`stet: ${hideCredentials(error.message)}`),
  })
  try {
    const { primary } = databases.database
    return await work(primary, migrates ? await migrate(primary, { schema: config.databaseSchema }) : [])
  } finally {
    await databases.close()
  }
}
