import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createTestDatabase } from '../harness/index.ts'

const run = promisify(execFile)

/** Where a stranger has a project of their own, with nothing in it but the package and what that depends on. */
let home: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'stet-stranger-'))
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', home])
  mkdirSync(join(home, 'node_modules/stet'), { recursive: true })
  await run('tar', ['xzf', join(home, stdout.trim()), '-C', join(home, 'node_modules/stet'), '--strip-components=1'])
  for (const name of readdirSync('node_modules')) {
    if (!name.startsWith('.')) symlinkSync(resolve('node_modules', name), join(home, 'node_modules', name))
  }
  for (const name of ['memory-only.mjs', 'per-viewer.mjs']) copyFileSync(join('examples', name), join(home, name))
})

afterAll(() => rmSync(home, { recursive: true }))

it('runs an example as installed from the package', async () => {
  const database = await createTestDatabase()
  try {
    const env = { ...process.env, DATABASE_URL: database.url }
    const { stdout } = await run(process.execPath, ['memory-only.mjs'], { cwd: home, env })
    expect(stdout).toBe('loads 1\n100\n100\nloads 1\n101\n')
  } finally {
    await database.drop()
  }
})

it('has types at every door, by which an example is right and a mistake is not', async () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly exports: object }
  const doors = Object.keys(exports).map((door) => `export * from '${door.replace('.', 'stet')}'\n`)
  writeFileSync(join(home, 'doors.mts'), doors.join(''))
  writeFileSync(join(home, 'mistake.mts'), "import { Cache } from 'stet/cache'\nnew Cache({ ledger: 1 })\n")
  const check = (...files: readonly string[]) => {
    const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--allowJs', '--checkJs', '--noEmit']
    return run(
      process.execPath,
      [resolve('node_modules/typescript/bin/tsc'), ...options, '--types', 'node', ...files],
      {
        cwd: home,
      },
    ).then(
      () => '',
      ({ stdout }: { readonly stdout: string }) => stdout,
    )
  }
  expect(await check('memory-only.mjs', 'per-viewer.mjs', 'doors.mts')).toBe('')
  expect(await check('mistake.mts')).toMatch(/^mistake\.mts\(2,13\): error TS2322/)
})
