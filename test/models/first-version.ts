import { readdir, readFile } from 'node:fs/promises'
import { Kysely, type Migration, Migrator, PostgresDialect, sql } from 'kysely'
import pg from 'pg'

/** How many migrations the first version had. */
export const FIRST_VERSION = 7

/**
 * Makes a database as the first version did, by its migrations, which recorded themselves in `stet_migration`.
 *
 * @param count only that many of them, as versions before it had
 * @returns the names of what was applied: none if it was done before
 */
export async function migrateAsFirstVersion(url: string, count = FIRST_VERSION): Promise<readonly string[]> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {}) // the database may be dropped before the server has closed the connection
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => readMigrations(count) },
      migrationTableName: 'stet_migration',
      migrationLockTableName: 'stet_migration_lock',
    })
    const { error, results = [] } = await migrator.migrateToLatest()
    if (error) throw error
    return results.map(({ migrationName }) => migrationName)
  } finally {
    await db.destroy()
  }
}

async function readMigrations(count: number): Promise<Record<string, Migration>> {
  const folder = new URL('first-version/', import.meta.url)
  const files = (await readdir(folder)).sort().slice(0, count)
  const migrations = files.map(async (file): Promise<[string, Migration]> => {
    const text = await readFile(new URL(file, folder), 'utf8')
    return [file.replace(/\.sql$/, ''), { up: async (db) => void (await sql.raw(text).execute(db)) }]
  })
  return Object.fromEntries(await Promise.all(migrations))
}
