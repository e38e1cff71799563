import { fileURLToPath } from 'node:url'
import { type Kysely, sql, type Transaction } from 'kysely'
import { type Act, operatorAct, recordWritten, type Tables } from '../database/index.ts'
import { PROJECT } from '../kernel/project.ts'
import { FIRST_YEAR, LAST_YEAR } from '../kernel/ranges.ts'
import { type ContentRecord, type Place, rowNameOf } from './content-record.ts'
import { openContentSource } from './content-source.ts'
import { type ImportReport, ImportTally, type Outcome, type RowsWritten } from './import-report.ts'
import { whyUnseen } from './why-unseen.ts'
import { writeArticles } from './write-articles.ts'
import { writeTags, writeUsers } from './write-users-and-tags.ts'

export interface ImportOptions {
  /** The author of Markdown files that name none. Default: Anonymous. */
  readonly author?: string
  /** True if every slug of a Markdown file is made from its path, also where its name alone would do. Default: false. */
  readonly slugsFromPath?: boolean
  readonly onProgress?: (progress: Progress) => void
  /**
   * Once it is aborted, nothing more is read. The batch in hand is written, and the report tells of what was read. Another import
   * goes on, because it finds the rows that are written already.
   */
  readonly signal?: AbortSignal
  /** Told of each file and record once, after its batch is committed. */
  readonly onOutcome?: (outcome: Outcome) => void
}

export interface Progress {
  readonly done: number
  readonly total?: number
}

/**
 * Imports articles, users and tags from a folder of Markdown files with front matter (and JSON Lines, which are read
 * first), from one such file, from a JSON Lines file that `exportContent` wrote, or from a WordPress export.
 *
 * A record's slug or username names its row. A row that equals its record is not written, so a second import changes
 * nothing, and cached entries stand. A row that was edited meanwhile is overwritten. A record that cannot be imported is
 * reported, and the others are imported. Memory holds one batch and the names seen so far.
 *
 * @throws if `location` cannot be read at all, or the database fails. What was committed by then stays; another import goes on
 */
export async function importContent(
  db: Kysely<Tables>,
  location: string,
  { author = 'Anonymous', slugsFromPath = false, onProgress, onOutcome, signal }: ImportOptions = {},
): Promise<ImportReport> {
  const source = await openContentSource(location, { author, slugsFromPath, signal })
  const total = await source.prepare()
  const tally = new ImportTally()
  const seen = new Map<string, string>()
  const act = operatorAct('import')
  let batch: PlacedRecord[] = []
  let bytes = 0
  let done = 0

  const finish = (outcome: Outcome) => {
    tally.count(outcome)
    onOutcome?.(outcome)
  }
  const flush = async () => {
    if (batch.length > 0) {
      const { rows, outcomes } = await writeBatch(db, batch, act)
      tally.add(rows)
      for (const outcome of outcomes) finish(outcome)
    }
    batch = []
    bytes = 0
    onProgress?.({ done, total })
  }

  if (signal?.aborted) return tally
  onProgress?.({ done, total })
  let file: string | undefined
  for await (const reading of source.read()) {
    if (signal?.aborted) break
    const { at } = reading
    if (at.file !== file) tally.files++
    file = at.file
    if ('unread' in reading) {
      finish({ ...at, outcome: 'not read', why: [reading.unread], notes: [] })
      continue
    }
    done++
    if ('problem' in reading) {
      finish(skipped(at, reading.problem))
    } else {
      const name = rowNameOf(reading.record)
      const earlier = seen.get(name)
      const why = earlier ? `${name} is taken by ${earlier}` : whyUnseen(reading)
      if (why !== undefined) {
        finish(skipped(at, why))
      } else {
        seen.set(name, `${at.file}:${at.line}`)
        tally.countUnread(reading.unreadFields)
        batch.push(reading)
        bytes += reading.bytes
      }
    }
    if (batch.length >= BATCH_RECORDS || bytes >= BATCH_BYTES) await flush()
  }
  await flush()
  return tally
}

/**
 * Imports the magazine of `content/sample`, so that the first visitor finds something to read. HAZARD: only for an empty
 * database. Run again, it undoes edits of these articles.
 */
export async function loadSampleContent(db: Kysely<Tables>): Promise<ImportReport> {
  return importContent(db, fileURLToPath(new URL('content/sample/', PROJECT)))
}

/** Below 1,000: a statement that writes more rows invalidates its whole table instead of single rows. */
const BATCH_RECORDS = 500
const BATCH_BYTES = 8 * 1024 * 1024

interface PlacedRecord {
  readonly at: Place
  readonly record: ContentRecord
  readonly heldBack: readonly string[]
  readonly notes: readonly string[]
}

interface Written {
  readonly rows: RowsWritten
  readonly outcomes: readonly Outcome[]
}

/**
 * Writes records in one transaction. No two of them may name the same row. If the database refuses the batch, halves it,
 * each half inside a savepoint, until the refused records are found. Reports these, and writes the others.
 */
function writeBatch(db: Kysely<Tables>, batch: readonly PlacedRecord[], act: Act): Promise<Written> {
  return db.transaction().execute(async (transaction) => {
    const written = await writeOrHalve(transaction, batch)
    await recordWritten(transaction, act, 'rows')
    return written
  })
}

async function writeOrHalve(transaction: Transaction<Tables>, batch: readonly PlacedRecord[]): Promise<Written> {
  await sql`savepoint batch`.execute(transaction)
  try {
    const written = await writeAll(transaction, batch)
    await sql`release savepoint batch`.execute(transaction)
    return written
  } catch (error) {
    if (!isRefusal(error)) throw error
    await sql`rollback to savepoint batch`.execute(transaction)
    await sql`release savepoint batch`.execute(transaction)
    const rows = new ImportTally()
    const [first] = batch
    if (batch.length === 1 && first) return { rows, outcomes: [skipped(first.at, refusalOf(error))] }
    const middle = batch.length >> 1
    const halves = [
      await writeOrHalve(transaction, batch.slice(0, middle)),
      await writeOrHalve(transaction, batch.slice(middle)),
    ]
    for (const half of halves) rows.add(half.rows)
    return { rows, outcomes: halves.flatMap(({ outcomes }) => outcomes) }
  }
}

async function writeAll(transaction: Transaction<Tables>, batch: readonly PlacedRecord[]): Promise<Written> {
  const records = batch.map(({ record }) => record)
  const articles = records.filter((record) => record.type === 'article')
  const { counts, found, withoutEmail } = await writeUsers(transaction, {
    records: records.filter((record) => record.type === 'user'),
    // The first of a username counts: it has the e-mail address.
    authors: [...records.filter((record) => record.type === 'author'), ...articles.map((article) => article.author)],
  })
  const tags = await writeTags(transaction, {
    records: records.filter((record) => record.type === 'tag'),
    names: articles.flatMap((article) => article.tags),
  })
  const authored = articles.map((article) => ({
    ...article,
    author: found.get(article.author)?.author ?? article.author,
  }))
  const rows = { users: counts, tags, articles: await writeArticles(transaction, authored) }
  const outcomes = batch.map(({ at, record, heldBack, notes }): Outcome => {
    const named = record.type === 'article' ? record.author : record.type === 'author' ? record : undefined
    const { author, note } = (named && found.get(named)) ?? {}
    const isTaken = author?.email !== undefined && withoutEmail.has(author.username)
    const taken = isTaken ? [`the e-mail address of ${author.displayName} is another user's, and is left out`] : []
    const outcome = heldBack.length > 0 ? 'draft' : 'imported'
    return { ...at, outcome, why: heldBack, notes: [...notes, ...(note ? [note] : []), ...taken] }
  })
  return { rows, outcomes }
}

const skipped = (at: Place, why: string): Outcome => ({ ...at, outcome: 'skipped', why: [why], notes: [] })

/** What the tables refuse, in the words of the file. */
function refusalOf({ constraint = '' }: { readonly constraint?: string }): string {
  if (constraint.endsWith('_at_range')) return `has a date outside of the years ${FIRST_YEAR} to ${LAST_YEAR}`
  return refusals.get(constraint) ?? 'holds a value that the tables refuse'
}

const refusals = new Map([
  ['users_email_key', "has another user's e-mail address"],
  ['users_email_check', 'has an email that is no e-mail address'],
  ['users_avatar_url_check', 'has an avatarUrl that is no URL of http or https'],
  ['users_display_name_check', 'has an empty displayName'],
  ['users_username_check', 'has a username that does not begin with a letter or digit'],
  ['tags_name_check', 'has an empty name'],
  ['articles_title_check', 'has an empty title'],
])

/** True if the data is at fault: SQLSTATE classes 22 (data), 23 (constraints) and 54 (limits). */
function isRefusal(error: unknown): error is Error & { constraint?: string } {
  return error instanceof Error && 'code' in error && /^(22|23|54)...$/.test(String(error.code))
}
