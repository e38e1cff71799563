import { readFile } from 'node:fs/promises'
import type { SqlClient } from './sql.ts'

/**
 * Creates the `stet` schema (log, triggers, functions) in a database that has none: for APIs with migrations of their
 * own. Several processes may call it at once.
 */
export async function installStet(primary: SqlClient): Promise<void> {
  const schema = await readFile(new URL('../../migrations/0001_stet.sql', import.meta.url), 'utf8')
  try {
    // Sent as one, the statements are one transaction: the lock is held until the schema is there, or isn't.
    await primary.query(`select pg_advisory_xact_lock(hashtext('stet.install')); ${schema}`)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== DUPLICATE_SCHEMA) throw error
  }
}

const DUPLICATE_SCHEMA = '42P06'
