import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { AMPLE } from '../../../test/models/request-limits.ts'
import { readTrustedDocuments } from './trusted-documents.ts'

const APOLLOS = { format: 'apollo-persisted-query-manifest', version: 1 }
const FINE = { id: 'fine', name: 'Fine', type: 'query', body: '{ viewer { id } }' }
const NO_MANIFEST =
  'is no manifest: it must be { "<id>": "<document>" }, or { "format": "apollo-persisted-query-manifest", '

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stet-manifest-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

it.each([
  ['that is not there', undefined, " can't be read: ENOENT: "],
  ['that is not JSON', 'query {\n viewer { id } }\n', ' is not JSON: '],
  ['that is cut off', '{\n', ' is not JSON: '],
  ['of another shape', '[]', ` ${NO_MANIFEST}`],
  ['without a document', {}, ` ${NO_MANIFEST}`],
  ['of Apollo without a document', { ...APOLLOS, operations: [] }, ` ${NO_MANIFEST}`],
  ['whose documents are no texts', { a: 1 }, ` ${NO_MANIFEST}`],
  ['of Apollo in another version', { ...APOLLOS, version: 2, operations: [FINE] }, ` ${NO_MANIFEST}`],
  ['of Apollo without texts', { ...APOLLOS, operations: [{ id: 'a' }] }, ` ${NO_MANIFEST}`],
  ['of Apollo with nothing', { ...APOLLOS, operations: [null] }, ` ${NO_MANIFEST}`],
  ['that uses an id twice', { ...APOLLOS, operations: [FINE, FINE] }, ': document "fine" is listed twice'],
  [
    'that uses a hash twice',
    { 'sha256:ab': FINE.body, ab: '{ articles { totalCount } }' },
    ': document "ab" is listed twice',
  ],
  [
    'with what does not parse',
    { fine: FINE.body, cut: '{ viewer {\n' },
    `: document "cut" doesn't parse: Syntax Error: Expected Name, found <EOF>. (line 2, column 1)`,
  ],
  [
    'with what is too long',
    { long: `{ ${'a '.repeat(10_001)} }` },
    `: document "long" is too much: The query has more than 10000 tokens`,
  ],
  [
    'with what does not fit the schema',
    { old: 'query {\n  viewer { shoeSize }\n}' },
    `: document "old" doesn't fit the schema: Cannot query field "shoeSize" on type "User". (line 2, column 12)`,
  ],
  ['with a mere fragment', { part: 'fragment A on User { id }' }, ': document "part" holds no operation.'],
])('says in one line what is wrong with a manifest %s', async (what, manifest, message) => {
  const path = join(directory, `${what}.json`)
  if (manifest !== undefined) await writeFile(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
  const refusal = await refusalOf(path)
  expect(refusal.slice(0, path.length + message.length)).toBe(path + message)
  expect(refusal).not.toContain('\n')
})

async function refusalOf(path: string): Promise<string> {
  try {
    readTrustedDocuments(path, AMPLE)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('The manifest was taken.')
}
