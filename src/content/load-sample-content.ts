import { fileURLToPath } from 'node:url'
import type { Kysely } from 'kysely'
import type { Tables } from '../database/index.ts'
import { PROJECT } from '../kernel/project.ts'
import { importContent } from './import-content.ts'
import type { ImportReport } from './import-report.ts'

/**
 * Puts the magazine of `content/sample` into the database, so that the first visit finds something to read. For an empty
 * database: run again, it would undo what was edited in these articles.
 */
export async function loadSampleContent(db: Kysely<Tables>): Promise<ImportReport> {
  return importContent(db, fileURLToPath(SAMPLE))
}

const SAMPLE = new URL('content/sample/', PROJECT)
