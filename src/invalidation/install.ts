import { readFile } from 'node:fs/promises'
import { PROJECT } from '../kernel/project.ts'
import type { SqlClient } from './sql.ts'

/**
 * Creates the `stet` schema (log, triggers, functions) in a database that has none, or brings it up to date: for APIs with
 * migrations of their own. Several processes may call it at once.
 */
export async function installStet(primary: SqlClient): Promise<void> {
  for (const { file, present } of STEPS) {
    const statements = await readFile(new URL(`migrations/${file}`, PROJECT), 'utf8')
    try {
      // Sent as one, the statements are one transaction: the lock is held until its work is done, or isn't.
      await primary.query(`select pg_advisory_xact_lock(hashtext('stet.install')); ${statements}`)
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== present) throw error
    }
  }
}

/** In their order, with the code of the error that says that it is done already. */
const STEPS = [
  { file: '0001_stet.sql', present: '42P06' }, // the schema exists
  { file: '0004_log_epochs.sql', present: '42701' }, // the column exists
  { file: '0005_open_transactions.sql', present: '42701' },
  { file: '0006_records_at_once.sql', present: '42723' }, // the function exists
]
