import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

/** Runs `work` on one connection where a statement may take as long as it needs: to migrate, or to wait until others have. */
export async function withoutTimeout<T>(primary: Kysely<Tables>, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  return primary.connection().execute(async (db) => {
    await sql`set statement_timeout = 0`.execute(db)
    try {
      return await work(db)
    } finally {
      await sql`reset statement_timeout`.execute(db)
    }
  })
}
