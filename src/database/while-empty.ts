import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

/** Runs `fill` if there are no users, tags and articles yet, and returns whether it did. Of several processes that start at once, one fills and the others wait. */
export async function whileEmpty(
  primary: Kysely<Tables>,
  fill: (db: Kysely<Tables>) => Promise<unknown>,
): Promise<boolean> {
  // One connection for all of it, because the lock belongs to the connection.
  return primary.connection().execute(async (db) => {
    await sql`select pg_advisory_lock(hashtext('stet.fill'))`.execute(db)
    try {
      const { rows } = await sql<{ filled: boolean }>`
        select exists (select from users) or exists (select from tags) or exists (select from articles) as filled`.execute(
        db,
      )
      if (rows[0]?.filled) return false
      await fill(db)
      return true
    } finally {
      await sql`select pg_advisory_unlock(hashtext('stet.fill'))`.execute(db)
    }
  })
}
