import type { Kysely } from 'kysely'
import { type Config, readConfig } from '../app/config.ts'
import { migrate, openDatabases, type Tables } from '../database/index.ts'
import { hideCredentials } from '../kernel/hide-credentials.ts'

/** Opens the configured database, migrates it, runs `work` with it, and closes it. `work` also gets the migrations that were applied, and the configuration. */
export async function withDatabase<T>(
  work: (primary: Kysely<Tables>, applied: readonly string[], config: Config) => Promise<T>,
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
    const applied = migrates ? await migrate(primary, { schema: config.databaseSchema }) : []
    return await work(primary, applied, config)
  } finally {
    await databases.close()
  }
}
