import { expect, it } from '@jest/globals'
import { serverAudits } from 'graphql-http'
import type { TestNode } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'

const database = await useDatabase()
/** One keeps whole answers, the other none: they must conform alike. */
const nodes: Record<'kept' | 'made anew', TestNode> = {
  kept: await useNode({ database }),
  'made anew': await useNode({ database, environment: { CACHE_RESPONSES: 'off' } }),
}

const audits = (['kept', 'made anew'] as const).flatMap((which) =>
  serverAudits({ url: () => `${nodes[which].url}/graphql` }).map(({ id, name, fn }) => ({ id, name, fn, which })),
)

it.each(audits)('$id $name ($which)', async ({ id, fn }) => {
  // Once more where the first answer may have been kept.
  for (const result of [await fn(), await fn()]) {
    expect(result).toMatchObject({ id, status: 'ok' })
  }
})
