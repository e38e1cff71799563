import { readdir, readFile } from 'node:fs/promises'
import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import { PROJECT } from '../kernel/project.ts'
import type { Tables } from './tables.ts'

/** Brings the schema up to date. Takes a lock, so that ten nodes may start at once. Returns the names of what was applied. */
export async function migrate(
  primary: Kysely<Tables>,
  onApply: (name: string) => void = () => {},
): Promise<readonly string[]> {
  const migrator = new Migrator({
    db: primary,
    provider: { getMigrations: readMigrations },
    migrationTableName: 'stet_migration',
    migrationLockTableName: 'stet_migration_lock',
  })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error instanceof Error) {
    const failed = results.find(({ status }) => status === 'Error')
    throw failed ? new Error(`Migration ${failed.migrationName} failed: ${error.message}`, { cause: error }) : error
  }
  const applied = results.map(({ migrationName }) => migrationName)
  for (const name of applied) onApply(name)
  return applied
}

/** The files of `migrations/`, in the order of their names. */
async function readMigrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql'))
  const migrations = files.map(async (file): Promise<[string, Migration]> => {
    const text = await readFile(new URL(file, folder), 'utf8')
    return [
      file.replace(/\.sql$/, ''),
      {
        up: (db) =>
          sql
            .raw(text)
            .execute(db)
            .then(() => {}),
      },
    ]
  })
  return Object.fromEntries(await Promise.all(migrations))
}

const folder = new URL('migrations/', PROJECT)
