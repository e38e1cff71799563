import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { createTestDatabase, sharedServers } from '../harness/index.ts'

/** What each example prints. The shop prints nothing: `shop-example.test.ts` asks it. */
const printed = {
  'memory-only.mjs': ['loads 1', '100', '100', 'loads 1', '101'],
  'with-redis.mjs': ['one loads 1', 'one has 100', 'two has 100', 'two loads 1', 'two has 101'],
  'soft-purge.mjs': ['first 1.08', 'after a hard purge 1.09', 'after a soft purge 1.09', 'fresh 1.1', 'then 1.1'],
  'one-snapshot.mjs': ['sums [ 100 ]'],
  'per-viewer.mjs': [
    'loads tea for ann',
    'ann [ 1 ]',
    'loads tea for bob',
    'bob [ 2, 3 ]',
    'ann [ 1 ]',
    'The kind "own-notes" has entries for each viewer: its reader must say who that is.',
  ],
}

it.each(Object.entries(printed))('runs examples/%s as it stands, and once more', async (name, lines) => {
  const database = await createTestDatabase()
  const env = { ...process.env, DATABASE_URL: database.url, REDIS_URL: sharedServers().redisUrl }
  try {
    for (let run = 0; run < 2; run++) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [`examples/${name}`], { env })
      expect({ stderr, lines: stdout.trimEnd().split('\n') }).toEqual({ stderr: '', lines })
    }
  } finally {
    await database.drop()
  }
})

it('has six examples, and shows code of each in the docs', () => {
  const names = readdirSync('examples')
  expect(names.sort()).toEqual(['shop.mjs', ...Object.keys(printed)].sort())
  expect([...new Set(excerpts().map(({ file }) => file))].sort()).toEqual(names.map((name) => `examples/${name}`))
})

it('shows in the docs only code that is in the examples', () => {
  for (const { file, code } of excerpts()) {
    // Within a function it stands further to the right.
    const lines = readFileSync(file, 'utf8').split('\n')
    const shown = code.trimEnd().split('\n')
    const isShown = lines.some((_, at) => {
      const indent = /^ */.exec(lines[at] ?? '')?.[0] ?? ''
      return shown.every((line, offset) => lines[at + offset] === (line && indent + line))
    })
    expect({ file, code, isShown }).toEqual({ file, code, isShown: true })
  }
})

/** The blocks of code that name the file they are from. */
function excerpts(): readonly { readonly file: string; readonly code: string }[] {
  const page = readFileSync('docs/using-the-engine.md', 'utf8')
  return [...page.matchAll(/^```js (\S+)\n(.*?)^```$/gms)].map(([, file = '', code = '']) => ({ file, code }))
}
