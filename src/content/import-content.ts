import { fileURLToPath } from 'node:url'
import type { Kysely } from 'kysely'
import type { Tables } from '../database/index.ts'
import { PROJECT } from '../kernel/project.ts'
import { rowNameOf } from './content-record.ts'
import { openContentSource } from './content-source.ts'
import { type ImportReport, ImportTally } from './import-report.ts'
import { type PlacedRecord, writeBatch } from './write-batch.ts'

export interface ImportOptions {
  /** The author of Markdown files that name none. Default: Anonymous. */
  readonly author?: string
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly done: number
  readonly total?: number
}

/**
 * Imports articles, users and tags from a folder of Markdown files with YAML front matter (and JSON Lines, which are read
 * first), from one such file, or from a JSON Lines file that `exportContent` wrote.
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
  { author = 'Anonymous', onProgress }: ImportOptions = {},
): Promise<ImportReport> {
  const source = await openContentSource(location, author)
  const total = onProgress && (await source.count())
  const tally = new ImportTally()
  const seen = new Map<string, string>()
  let batch: PlacedRecord[] = []
  let bytes = 0
  let done = 0

  const flush = async () => {
    if (batch.length > 0) tally.add(await writeBatch(db, batch))
    batch = []
    bytes = 0
    onProgress?.({ done, total })
  }

  for await (const reading of source.read()) {
    done++
    if ('problem' in reading) {
      tally.report(reading.at, reading.problem)
    } else {
      const { at, record } = reading
      const name = rowNameOf(record)
      const earlier = seen.get(name)
      if (earlier) {
        tally.report(at, `${name} is taken by ${earlier}`)
      } else {
        seen.set(name, `${at.file}:${at.line}`)
        batch.push({ at, record })
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
