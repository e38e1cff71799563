import { readFile } from 'node:fs/promises'
import type { SqlClient } from './sql.ts'

/** Creates the `stet` schema (log, triggers, functions) in a database that has none. For APIs that have migrations of their own. */
export async function installStet(primary: SqlClient): Promise<void> {
  const { rows } = await primary.query<{ there: boolean }>(`select to_regnamespace('stet') is not null as there`)
  if (rows[0]?.there) return
  await primary.query(await readFile(new URL('../../migrations/0001_stet.sql', import.meta.url), 'utf8'))
}
