import { type Kysely, sql } from 'kysely'
import { operatorAct, recordAct } from './audit.ts'
import type { AuditRow, Tables } from './tables.ts'

export interface AuditFilter {
  readonly since: Date
  readonly actor?: string | undefined
  readonly action?: string | undefined
}

/** Reads audit records, the oldest first. Memory holds one page of them. */
export async function* readAudit(
  db: Kysely<Tables>,
  { since, actor, action }: AuditFilter,
): AsyncGenerator<AuditRow, void, undefined> {
  // PostgreSQL's microseconds as text: a JavaScript date would lose them.
  let after = { at: since.toISOString(), id: 0 }
  for (;;) {
    let page = db
      .selectFrom('audit')
      .selectAll()
      .select(sql<string>`at::text`.as('exactly'))
      .where(sql<boolean>`(at, id) > (${after.at}::timestamptz, ${after.id})`)
      .orderBy('at')
      .orderBy('id')
      .limit(PAGE)
    if (actor !== undefined) page = page.where('actor', '=', actor)
    if (action !== undefined) page = page.where('action', '=', action)
    const rows = await page.execute()
    for (const { exactly, ...row } of rows) {
      after = { at: exactly, id: row.id }
      yield row
    }
    if (rows.length < PAGE) return
  }
}

const PAGE = 1000

/**
 * Deletes the audit records before an instant, and leaves one that says so.
 *
 * @returns how many were deleted
 * @throws what PostgreSQL says unless the role owns the table
 */
export async function pruneAudit(db: Kysely<Tables>, before: Date): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    await sql`select set_config('stet.prune_audit', 'on', true)`.execute(transaction)
    const { numDeletedRows } = await transaction.deleteFrom('audit').where('at', '<', before).executeTakeFirstOrThrow()
    const deleted = Number(numDeletedRows)
    if (deleted > 0) await recordAct(transaction, operatorAct('audit prune'), [`before ${before.toISOString()}`])
    return deleted
  })
}
