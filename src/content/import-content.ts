import type { Kysely } from 'kysely'
import type { Tables } from '../database/index.ts'
import { rowNameOf } from './content-record.ts'
import { openContentSource } from './content-source.ts'
import { type ImportReport, ImportTally } from './import-report.ts'
import { type PlacedRecord, writeBatch } from './write-batch.ts'

export interface ImportOptions {
  /** Whose the Markdown files are that name no author. Default: Anonymous. */
  readonly author?: string
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly done: number
  readonly total?: number
}

/**
 * Brings articles, users and tags in: from a folder of Markdown files with YAML front matter (and JSON Lines, which are
 * read first), one such file, or a JSON Lines file as `exportContent` writes it.
 *
 * A record's slug or username says which row it is. Rows that say the same already are not written, so importing twice
 * changes nothing, and what is cached stands; what was edited elsewhere meanwhile gives way to the record. A record that
 * cannot go in is reported, and the others go in.
 *
 * Throws when `location` cannot be read at all or the database fails; what was committed by then stays, and importing
 * again goes on. Memory holds a batch and the names seen so far.
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

/** Within the 1,000 rows up to which a statement's invalidation names single rows. */
const BATCH_RECORDS = 500
const BATCH_BYTES = 8 * 1024 * 1024
