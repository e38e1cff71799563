import { sql, type Transaction } from 'kysely'
import type { CacheTag } from '../../cache/index.ts'
import type { Tables } from '../../database/index.ts'

/** Writes `tags` to the log with the transaction: what depends on them falls, on every node, once it has committed. */
export async function touch(transaction: Transaction<Tables>, tags: readonly CacheTag[]): Promise<void> {
  await sql`select stet.touch(variadic ${tags}::text[])`.execute(transaction)
}
