import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { eventually, type PostgresServer } from '../../harness/index.ts'
import { asOf } from '../races/article-world.ts'
import type { ServedNode } from './served-node.ts'
import { createServedWorld, type ServedWorld } from './served-world.ts'
import { startLoggingPostgres } from './statement-log.ts'

/** PostgreSQL goes, or answers no more, and comes back: what stands goes on being served, and says how old it is. */
let postgres: PostgresServer
let world: ServedWorld

beforeAll(async () => {
  postgres = await startLoggingPostgres()
})

afterAll(() => postgres.stop())

beforeEach(async () => {
  world = await createServedWorld(postgres)
})

afterEach(() => world.end())

it('serves what stands until its grace is over, where PostgreSQL is gone, and is fresh when it is back', async () => {
  const environment = { CACHE_TTL_ARTICLE: '1', CACHE_GRACE: '0.5', CACHE_GRACE_IF_ERROR: '2' }
  const nodes = await Promise.all([world.serve('node 1', environment), world.serve('node 2', environment)])
  const loadedAt = performance.now()
  for (const node of nodes) expect(await ask(node)).toMatchObject({ title: 'old' })
  const lastAskedAt = performance.now()
  await postgres.kill()
  const seen = await Promise.all(nodes.map(askUntilItFails))
  const failedAt = performance.now()

  for (const answers of seen) {
    expect(inTurn(answers.map(({ cache }) => cache)).join(' ')).toMatch(/^(HIT )?STALE MISS$/)
    for (const { cache, title, code } of answers) {
      expect([title, code]).toEqual(cache === 'MISS' ? [undefined, 'UNAVAILABLE'] : ['old', undefined])
    }
  }
  // A second to live and two of grace.
  expect(failedAt - loadedAt).toBeGreaterThanOrEqual(3000)
  expect(failedAt - lastAskedAt).toBeLessThan(10_000)
  for (const node of nodes) {
    expect(await node.metric('stet_stale_served_total', { why: 'revalidating' })).toBeGreaterThan(0)
    expect(await node.metric('stet_stale_served_total', { why: 'error' })).toBeGreaterThan(0)
  }

  await postgres.restart()
  await world.sql(`update articles set title = 'new' where id = 1`)
  const token = await world.token()
  for (const node of nodes) {
    await eventually(async () => expect(await ask(node, token)).toMatchObject({ title: 'new' }))
    expect(await ask(node)).toEqual({ title: 'new', cache: 'HIT' })
  }
})

it('serves what stands, and nothing that was written since, where PostgreSQL does not answer', async () => {
  const environment = { CACHE_TTL_ARTICLE: '1', CACHE_GRACE: '0.1', CACHE_LOAD_TIMEOUT_MS: '1500' }
  const node = await world.serve('node 1', environment)
  for (const id of [1, 2]) expect(await ask(node, null, id)).toMatchObject({ title: 'old' })
  const written = `mutation { invalidateCache(tags: ["articles:2"], mode: HARD) { position } }`
  expect((await node.admin.send(written)).errors).toEqual([])
  await postgres.pause()
  await eventually(async () => {
    expect(await ask(node)).toEqual({ title: 'old', cache: 'STALE' })
    expect(await node.metric('stet_stale_served_total', { why: 'slow' })).toBeGreaterThan(0)
  })
  expect(await ask(node, null, 2)).toMatchObject({ title: undefined, code: 'LOAD_TIMEOUT' })
  await postgres.resume()
  await eventually(async () => expect(await ask(node)).toEqual({ title: 'old', cache: 'HIT' }))
  await eventually(async () => expect(await ask(node, null, 2)).toMatchObject({ title: 'old' }))
})

/** What a node answers with, again and again, until it is an error. */
async function askUntilItFails(node: ServedNode) {
  const answers: Awaited<ReturnType<typeof ask>>[] = []
  await eventually(async () => {
    const answer = await ask(node)
    answers.push(answer)
    return 'code' in answer
  })
  return answers
}

/** An article's title, or why there is none, and where the answer came from. */
async function ask(node: ServedNode, token?: string | null, id = 1) {
  const query = 'query ($id: ID!) { article(id: $id) { title } }'
  const { data, errors, headers } = await node.visitor.send<{ article: { title: string } | null }>(
    query,
    { id: toGlobalId('Article', id) },
    asOf(token),
  )
  const code = errors[0]?.extensions.code
  return { title: data?.article?.title, cache: headers.get('x-cache'), ...(code && { code }) }
}

/** A list without what is the same as what stands before it. */
const inTurn = <T>(list: readonly T[]): T[] => list.filter((each, index) => each !== list[index - 1])
