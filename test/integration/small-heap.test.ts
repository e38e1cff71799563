import { expect, it } from '@jest/globals'
import { addContent } from '../api/add-content.ts'
import { RunningStet } from '../api/run-stet.ts'
import { GraphQLClient, TEST_JWT_SECRET } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'

const DOCUMENTS = 2000
const AT_ONCE = 8

it(`serves ${DOCUMENTS} documents in a heap that can't hold them all, and warns of an option that doesn't fit in it`, async () => {
  const database = await useDatabase()
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'warn',
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    CACHE_MEMORY_MAX_MB: '64',
    NODE_OPTIONS: '--max-old-space-size=128 --max-semi-space-size=16',
  }
  const stet = use(new RunningStet(['serve', '--json'], environment), (it) => it.end('SIGKILL'))
  const { url } = await stet.serving()
  expect(stet.stderr).toContain('CACHE_MEMORY_MAX_MB is 64, but a heap of 176 MB has room for 35')
  await addContent(database.url)
  const client = new GraphQLClient(url)
  let next = 0
  const send = async () => {
    while (next < DOCUMENTS) {
      const document = documentOf(next++)
      // From the second time on it is kept.
      for (const _ of [1, 2]) expect(await client.get(document)).toHaveProperty('articles.edges.0.node')
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, send))
  const { code, stderr } = await stet.end('SIGTERM')
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('heap out of memory')])
})

/** Parsed it takes 20 KB of the heap, and as much again while it has its tokens. */
function documentOf(n: number): string {
  const fields = Array.from({ length: 30 }, (_, index) => `f${n}_${index}: title`)
  return `query Q${n} { articles(first: 1) { edges { node { ${fields.join(' ')} } } } }`
}
