import { readdirSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { expect, it } from '@jest/globals'
import { filesBehind, needsServers } from '../../scripts/needs-servers.mjs'

/** `npm run test:unit` runs all suites whose imports don't lead to `test/harness/test-run.ts`: these need neither PostgreSQL nor Redis. */
const suites = ['src', 'test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`),
)

it.each([
  ['a suite that starts a node', 'test/api/http.test.ts', true],
  ['a suite that reaches the harness by a model', 'src/invalidation/log.test.ts', true],
  ['a suite beside what it tests', 'src/kernel/clock.test.ts', false],
  ['a suite that needs one file of the harness', 'test/harness/eventually.test.ts', false],
])('knows whether %s needs servers', (_what, suite, expected) => {
  expect(needsServers(suite)).toBe(expected)
})

it('finds no unit suite that reaches servers by itself', () => {
  const files = suites
    .filter((suite) => !needsServers(suite))
    .flatMap((suite) => [...filesBehind(suite)].map((file) => ({ suite, file: relative('.', file) })))
  const suspicious = files.filter(
    ({ file }) => /(^test\/|\.test\.ts$)/.test(file) && REACHES_SERVERS.test(readFileSync(file, 'utf8')),
  )
  expect(suspicious).toEqual([])
})

/** Imports of clients, but for their types. */
const REACHES_SERVERS = /^import (?!type )[^'\n]*'(pg|ioredis|testcontainers)'$/m
