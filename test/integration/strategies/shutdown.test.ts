import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import type { Ran } from '../../api/run-stet.ts'
import { eventually, type PostgresServer, startFaultProxy } from '../../harness/index.ts'
import { ROW_READ, readTitle, writeTitle } from '../races/article-world.ts'
import type { ServedNode } from './served-node.ts'
import { createServedWorld, type HeldTable, type ServedWorld } from './served-world.ts'
import { startLoggingPostgres } from './statement-log.ts'

/** A node that is told to stop brings to an end what it has begun, and leaves nothing that others would wait for. */
let postgres: PostgresServer
let world: ServedWorld
let nodes: readonly [ServedNode, ServedNode]

beforeAll(async () => {
  postgres = await startLoggingPostgres()
})

afterAll(() => postgres.stop())

beforeEach(async () => {
  world = await createServedWorld(postgres)
})

afterEach(() => world.end())

it('answers whoever waits for a load, and gives back its lease', async () => {
  await serveTwo()
  const table = await world.holdTable('articles')
  const mark = await world.statements.mark()
  const asked = Array.from({ length: 20 }, () => readTitle(nodes[0].visitor))
  await eventually(async () => (await table.waiting()).includes('node 1'))
  await eventually(async () => (await nodes[0].metric('stet_cache_flights_joined_total')) === 19)
  expect(await leases()).toHaveLength(1)
  const ended = nodes[0].end('SIGTERM')
  await eventually(() => refusesConnections(nodes[0]))
  await table.release()
  expect(await Promise.all(asked)).toEqual(Array(20).fill('old'))
  expectClean(await ended)
  expect(await leases()).toEqual([])
  // What it loaded is there for the others.
  expect(await readTitle(nodes[1].visitor)).toBe('old')
  expect(await world.statements.since(mark, ROW_READ)).toHaveLength(1)
})

it('brings a refresh in the background to its end, and delays no other node', async () => {
  await serveTwo({ CACHE_TTL_ARTICLE: '1' })
  expect(await readTitle(nodes[0].visitor)).toBe('old')
  await world.behindTheLog(`update articles set title = 'new' where id = 1`)
  const table = await world.holdTable('articles')
  await eventually(async () => nonEmpty(await askAndListWaiting(table)))
  expect(await leases()).toHaveLength(1)
  const ended = nodes[0].end('SIGTERM')
  await eventually(() => refusesConnections(nodes[0]))
  await table.release()
  expectClean(await ended)
  expect(await leases()).toEqual([])
  const mark = await world.statements.mark()
  expect(await readTitle(nodes[1].visitor)).toBe('new')
  expect(await nodes[1].metric('stet_cache_leases_awaited_total')).toBe(0)
  // Loaded by the one that is gone.
  expect(await world.statements.since(mark, ROW_READ)).toEqual([])
})

it('gives back the lease of a refresh that takes longer than it may', async () => {
  await serveTwo({ CACHE_TTL_ARTICLE: '1', SHUTDOWN_TIMEOUT_MS: '100' })
  expect(await readTitle(nodes[0].visitor)).toBe('old')
  const table = await world.holdTable('articles')
  await eventually(async () => nonEmpty(await askAndListWaiting(table)))
  expect(await leases()).toHaveLength(1)
  const ended = nodes[0].end('SIGTERM')
  // While its statement still waits for the table.
  await eventually(async () => (await leases()).length === 0)
  expect(await table.waiting()).toEqual(['node 1'])
  await table.release()
  expectClean(await ended)
  expect(await readTitle(nodes[1].visitor)).toBe('old')
  expect(await nodes[1].metric('stet_cache_leases_awaited_total')).toBe(0)
})

it.each([
  ['a read', 'old', () => readTitle(nodes[0].visitor)],
  // The server has it, and nobody was told that it failed.
  ['a write', 'new', () => writeTitle(nodes[0].admin, 'new')],
  ['a write of several statements', 'old', () => writeTitle(nodes[0].admin, 'new', 1, [])],
])('ends in time while the statement of %s hangs', async (_what, then, ask) => {
  await serveTwo(PATIENT)
  const table = await world.holdTable('articles')
  const asked = ask().catch((error: Error) => error.message)
  await eventually(async () => (await table.waiting()).includes('node 1'))
  const { code } = await nodes[0].end('SIGTERM')
  // Its statement would still wait for ten minutes.
  expect(code).toBe(0)
  expect(await asked).toBe('fetch failed')
  expect(await leases()).toEqual([])
  await table.release()
  await eventually(async () => (await readTitle(nodes[1].visitor)) === then)
  expect(await world.sql('select title from articles where id = 1')).toEqual([{ title: then }])
})

it('ends in time while a batch of views hangs, which is counted by another', async () => {
  await serveTwo({ ...PATIENT, QUEUE_FLUSH_MS: '20' })
  const holder = await world.connect()
  await holder.query('begin; select from article_stats for update')
  const view = 'mutation ($id: ID!) { recordView(articleId: $id) }'
  await nodes[0].visitor.get(view, { id: toGlobalId('Article', 1) })
  const waiting = () =>
    world.sql(
      `select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%unnest%'`,
    )
  await eventually(async () => nonEmpty(await waiting()))
  // Either of them has it.
  for (const ended of nodes.map((node) => node.end('SIGTERM'))) expect((await ended).code).toBe(0)
  await holder.query('rollback')
  await world.serve('node 3', { QUEUE_FLUSH_MS: '20' })
  await eventually(async () => {
    const [row] = await world.sql('select views::int from article_stats where article_id = 1')
    return row?.views === 1
  })
})

it('ends in time while PostgreSQL says nothing any more', async () => {
  const { hostname, port } = new URL(postgres.url)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  const node = await world.serve('node 1', { ...PATIENT, DATABASE_URL: proxy.through(world.database.url) })
  proxy.stall()
  const asked = readTitle(node.visitor).catch((error: Error) => error.message)
  await eventually(async () => (await node.metric('stet_database_loads_running')) === 1)
  expect(await node.end('SIGTERM')).toMatchObject({ code: 0 })
  expect(await asked).toBe('fetch failed')
  await proxy.close()
})

it('stops while many refreshes are under way and go on to begin', async () => {
  await serveTwo({ CACHE_TTL_ARTICLE: '0.2', CACHE_EARLY_REFRESH: '1', CACHE_REFRESH_AHEAD_CONCURRENCY: '4' })
  await world.sql(
    `insert into articles (slug, title, body, status, author_id, published_at)
     select 'more-' || n, 'old', 'Body', 'PUBLISHED', 1, now() from generate_series(3, 100) n`,
  )
  const ids = Array.from({ length: 100 }, (_, index) => toGlobalId('Article', index + 1))
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Article { title } } }'
  let answered = 0
  const askUntilItStops = async (node: ServedNode): Promise<never> => {
    for (;;) {
      expect(await node.visitor.get(query, { ids })).toEqual({ nodes: Array(100).fill({ title: 'old' }) })
      answered++
    }
  }
  const asking = nodes.flatMap((node) => [askUntilItStops(node), askUntilItStops(node)])
  await eventually(async () => (await nodes[0].metric('stet_cache_refreshes_total')) > 200)
  const ended = nodes.map((node) => node.end('SIGTERM'))
  for (const asked of await Promise.allSettled(asking)) {
    expect(asked).toMatchObject({ status: 'rejected', reason: { message: 'fetch failed' } })
  }
  for (const ran of await Promise.all(ended)) expectClean(ran)
  expect(answered).toBeGreaterThan(0)
  expect(await leases()).toEqual([])
})

/** They let statements run for longer than any test, and requests for no time. */
const PATIENT = { DATABASE_STATEMENT_TIMEOUT_MS: '600000', SHUTDOWN_TIMEOUT_MS: '100' }

async function serveTwo(environment: NodeJS.ProcessEnv = {}): Promise<void> {
  const all = { CACHE_LEASE_MS: '30000', ...environment }
  nodes = await Promise.all([world.serve('node 1', all), world.serve('node 2', all)])
}

/** Asks until what is stale is being refreshed. */
async function askAndListWaiting(table: HeldTable): Promise<string[]> {
  await readTitle(nodes[0].visitor)
  return table.waiting()
}

const leases = () => world.keysInRedis('lease:*')

/** It has begun to stop. */
const refusesConnections = (node: ServedNode): Promise<boolean> =>
  fetch(`${node.url}/healthz`).then(
    () => false,
    () => true,
  )

/** It ended by itself and had nothing to complain of. */
function expectClean({ code, stderr }: Ran): void {
  expect([code, stderr.split('\n').filter((line) => !line.includes('playground'))]).toEqual([0, ['']])
}

const nonEmpty = <T>(list: readonly T[]): readonly T[] | false => list.length > 0 && list
