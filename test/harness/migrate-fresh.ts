import { Kysely, PostgresDialect } from 'kysely'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'

/** Migrates an empty database, and leaves nobody connected to it. */
export async function migrateFresh(url: string): Promise<void> {
  const pool = createPool({ url, max: 1, statementTimeoutMs: 60_000, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    await migrate(db)
  } finally {
    await db.destroy()
  }
}
