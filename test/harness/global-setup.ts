import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beginTestRun } from './begin-test-run.ts'
import { runParent } from './run-parent.ts'
import { getTestRun } from './test-run.ts'

/** Workers start later and inherit TMPDIR, so that what suites forget to remove goes with the run. */
export default async function setUp(): Promise<void> {
  await beginTestRun({ parent: runParent() })
  const temporary = join(getTestRun().directory, 'tmp')
  mkdirSync(temporary)
  process.env.TMPDIR = temporary
}
