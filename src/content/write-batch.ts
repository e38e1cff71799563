import { type Kysely, sql, type Transaction } from 'kysely'
import type { Tables } from '../database/index.ts'
import type { ContentRecord, Place } from './content-record.ts'
import { type ImportReport, ImportTally } from './import-report.ts'
import { writeArticles } from './write-articles.ts'
import { writeTags, writeUsers } from './write-users-and-tags.ts'

export interface PlacedRecord {
  readonly at: Place
  readonly record: ContentRecord
}

/**
 * Writes records in one transaction. No two of them may name the same row. If the database refuses the batch, halves it,
 * each half inside a savepoint, until the refused records are found. Reports these, and writes the others.
 */
export async function writeBatch(db: Kysely<Tables>, batch: readonly PlacedRecord[]): Promise<ImportReport> {
  return db.transaction().execute((transaction) => writeOrHalve(transaction, batch))
}

async function writeOrHalve(transaction: Transaction<Tables>, batch: readonly PlacedRecord[]): Promise<ImportReport> {
  await sql`savepoint batch`.execute(transaction)
  try {
    const report = await writeAll(transaction, batch)
    await sql`release savepoint batch`.execute(transaction)
    return report
  } catch (error) {
    if (!isRefusal(error)) throw error
    await sql`rollback to savepoint batch`.execute(transaction)
    await sql`release savepoint batch`.execute(transaction)
    const tally = new ImportTally()
    const [first] = batch
    if (batch.length === 1 && first) {
      tally.report(first.at, `is refused by the database: ${error.detail ?? error.message}`)
      return tally
    }
    const middle = batch.length >> 1
    tally.add(await writeOrHalve(transaction, batch.slice(0, middle)))
    tally.add(await writeOrHalve(transaction, batch.slice(middle)))
    return tally
  }
}

async function writeAll(transaction: Transaction<Tables>, batch: readonly PlacedRecord[]): Promise<ImportReport> {
  const tally = new ImportTally()
  const records = batch.map(({ record }) => record)
  const articles = records.filter((record) => record.type === 'article')
  tally.users = await writeUsers(transaction, {
    records: records.filter((record) => record.type === 'user'),
    authors: articles.map((article) => article.author),
  })
  tally.tags = await writeTags(transaction, {
    records: records.filter((record) => record.type === 'tag'),
    names: articles.flatMap((article) => article.tags),
  })
  tally.articles = await writeArticles(transaction, articles)
  return tally
}

/** True if the data is at fault: SQLSTATE classes 22 (data), 23 (constraints) and 54 (limits). */
function isRefusal(error: unknown): error is Error & { detail?: string } {
  return error instanceof Error && 'code' in error && /^(22|23|54)...$/.test(String(error.code))
}
