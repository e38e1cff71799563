import { readFile } from 'node:fs/promises'
import { type Kysely, sql } from 'kysely'
import { PROJECT } from '../kernel/project.ts'
import { operatorAct, recordAct } from './audit.ts'
import type { Tables } from './tables.ts'

/**
 * Lets `role` do what nodes need, and nothing else: see `sql/grants.sql`. Safe to repeat.
 *
 * @throws what PostgreSQL says if there is no such role, or this one doesn't own the tables
 */
export async function grantTo(primary: Kysely<Tables>, role: string): Promise<void> {
  const text = await readFile(new URL('sql/grants.sql', PROJECT), 'utf8')
  await primary.transaction().execute(async (transaction) => {
    await sql`select set_config('stet.grant_to', ${role}, true)`.execute(transaction)
    await sql.raw(text).execute(transaction)
    await recordAct(transaction, operatorAct('migrate'), [`grants to ${role}`])
  })
}
