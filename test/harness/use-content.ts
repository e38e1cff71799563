import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { exportContent } from '../../src/content/export-content.ts'
import { type ImportOptions, importContent } from '../../src/content/import-content.ts'
import type { ImportReport, Outcome } from '../../src/content/import-report.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import type { TestDatabase } from './create-test-database.ts'
import { use, useDatabase } from './use.ts'

/** A database that has the tables and no content, and folders to import into it. `clear` makes both empty. */
export class ContentBench {
  readonly db: Kysely<Tables>
  readonly database: TestDatabase
  /** Holds the folders, and nothing else unless a test writes it. */
  readonly home: string
  #count = 0

  constructor(db: Kysely<Tables>, database: TestDatabase, home: string) {
    this.db = db
    this.database = database
    this.home = home
  }

  /** The folder of this test. It exists once something is written to it. */
  get folder(): string {
    return path.join(this.home, `content-${this.#count}`)
  }

  async clear(): Promise<void> {
    this.#count++
    await sql`truncate users, tags, articles, article_tags, article_stats`.execute(this.db)
  }

  async write(file: string, content: string | Buffer): Promise<void> {
    const whole = path.join(this.folder, file)
    await mkdir(path.dirname(whole), { recursive: true })
    await writeFile(whole, content)
  }

  /** @param file relative to the folder. Default: the folder itself */
  async import(options: ImportOptions & { readonly file?: string } = {}): Promise<Imported> {
    const outcomes: Outcome[] = []
    const { file = '', ...others } = options
    const location = path.join(this.folder, file)
    const report = await importContent(this.db, location, { ...others, onOutcome: (it) => outcomes.push(it) })
    return new Imported(report, outcomes)
  }

  async exportText(): Promise<string> {
    const stream = new PassThrough()
    const [all] = await Promise.all([text(stream), exportContent(this.db, stream)])
    return all
  }

  async exportRecords(): Promise<readonly Record<string, unknown>[]> {
    const lines = (await this.exportText()).trim().split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
}

/** What an import said. Texts are in the order of the alphabet. */
export class Imported {
  readonly report: ImportReport
  readonly outcomes: readonly Outcome[]

  constructor(report: ImportReport, outcomes: readonly Outcome[]) {
    this.report = report
    this.outcomes = outcomes
  }

  /** `file:line reason` for each file or record that became what `outcome` says. */
  why(outcome: Outcome['outcome']): readonly string[] {
    const found = this.outcomes.filter((it) => it.outcome === outcome)
    return found.map(({ file, line, why }) => `${file}:${line} ${why.join('; ')}`).sort()
  }

  /** `file note` for each note. */
  get notes(): readonly string[] {
    return this.outcomes.flatMap(({ file, notes }) => notes.map((note) => `${file} ${note}`)).sort()
  }
}

/** A database and a folder for a whole suite. */
export async function useContent(): Promise<ContentBench> {
  const database = await useDatabase()
  const home = use(await mkdtemp(path.join(tmpdir(), 'stet-content-')), (it) => rm(it, { recursive: true }))
  const pool = createPool({ url: database.url, max: 3, statementTimeoutMs: 60_000, onError: () => {} })
  const db = use(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), (it) => it.destroy())
  return new ContentBench(db, database, home)
}
