import { execFileSync } from 'node:child_process'
import { expect, it } from '@jest/globals'

interface Walk {
  /** The `Cache-Status` of the last answer. */
  readonly cache: string
  readonly files: readonly string[]
}

/**
 * Which files of `src` somebody has to open who follows the calls of one request. A file is entered if one of its functions is
 * called. Counted on a node in memory alone, once it has answered the like before.
 */
it('follows a hit and a miss through few files', () => {
  const { hit, miss } = walks()
  process.stdout.write(`\n${draw('A hit', hit)}${draw('A miss whose rows are in memory', miss)}`)
  expect(hit.cache).toMatch(/^stet; hit; ttl=\d+; detail=memory$/)
  expect(miss.cache).toBe('stet; hit; detail=entries')
  expect(hit.files.length).toBeLessThanOrEqual(12)
  expect(miss.files.length).toBeLessThanOrEqual(62)
}, 60_000)

function walks(): { readonly hit: Walk; readonly miss: Walk } {
  const imports = ['./scripts/run-typescript.mjs', './test/architecture/walks/mark-functions.mjs']
  const options = imports.flatMap((path) => ['--import', path])
  const script = 'test/architecture/walks/walk-requests.ts'
  return JSON.parse(execFileSync(process.execPath, [...options, script], { encoding: 'utf8' }))
}

const draw = (name: string, { files }: Walk): string =>
  `${name} enters ${files.length} files, in this order:\n${files.map((file) => `  ${file}\n`).join('')}`
