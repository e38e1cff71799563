import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { serverAudits } from 'graphql-http'
import { createTestDatabase, startTestNode, type TestDatabase, type TestNode } from '../harness/index.ts'

let database: TestDatabase
/** One keeps whole answers, the other none: they must conform alike. */
let nodes: Record<'kept' | 'made anew', TestNode>

beforeAll(async () => {
  database = await createTestDatabase()
  nodes = {
    kept: await startTestNode({ databaseUrl: database.url }),
    'made anew': await startTestNode({ databaseUrl: database.url, environment: { CACHE_RESPONSES: 'off' } }),
  }
})

afterAll(async () => {
  await Promise.all(Object.values(nodes).map((node) => node.close()))
  await database.drop()
})

const audits = (['kept', 'made anew'] as const).flatMap((which) =>
  serverAudits({ url: () => `${nodes[which].url}/graphql` }).map(({ id, name, fn }) => ({ id, name, fn, which })),
)

it.each(audits)('$id $name ($which)', async ({ id, fn }) => {
  // Once more where the first answer may have been kept.
  for (const result of [await fn(), await fn()]) {
    expect(result).toMatchObject({ id, status: 'ok' })
  }
})
