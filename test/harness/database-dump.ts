import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { getTestRun } from './test-run.ts'

/** A dump of one database, in a file. Needs `pg_dump` and `pg_restore` on PATH, no older than the server. */
export class DatabaseDump {
  readonly #file = join(getTestRun().directory, `${randomUUID()}.dump`)

  /** Takes the place of an earlier one. */
  async take(url: string): Promise<void> {
    await run('pg_dump', ['--format=custom', '--file', this.#file, url])
  }

  /** In the place of what the database holds, all at once. */
  async restore(url: string): Promise<void> {
    await run('pg_restore', ['--clean', '--if-exists', '--single-transaction', '--dbname', url, this.#file])
  }

  remove(): void {
    rmSync(this.#file, { force: true })
  }
}

const run = (program: string, args: readonly string[]) => promisify(execFile)(program, [...args])
