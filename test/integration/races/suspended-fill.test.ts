import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { eventually, sharedServers } from '../../harness/index.ts'
import { readMetric } from '../../harness/read-metric.ts'
import { type ArticleWorld, createArticleWorld, ROW_READ, readTitle, writeTitle } from './article-world.ts'
import { isNotification, type ReplyGate } from './reply-gate.ts'

/** A fill is suspended between its read, which PostgreSQL has done, and its store: its rows wait in a gate on the way back. */
let world: ArticleWorld
let postgres: ReplyGate

beforeEach(async () => {
  world = await createArticleWorld()
  postgres = await world.startGate(sharedServers().postgresUrl)
})

afterEach(() => world.end())

it('forgets a suspended fill that a mutation on the same node overtook', async () => {
  const node = await world.startNode({ databaseUrl: postgres.through(world.database.url) })
  const before = node.ledger.seen
  const fill = postgres.hold(ROW_READ)
  const early = readTitle(node.visitor)
  await fill.arrived

  const written = writeTitle(node.admin, 'new')
  await eventually(() => node.ledger.seen > before)
  const late = readTitle(node.visitor) // joins the load that is held, and may not be content with it
  fill.release()

  expect(await late).toBe('new')
  expect((await written).title).toBe('new')
  expect(['old', 'new']).toContain(await early)
  await expectNewEverywhere([node])
})

it('forgets a suspended fill that a mutation on another node overtook', async () => {
  const node = await world.startNode({ databaseUrl: postgres.through(world.database.url) })
  const writer = await world.startNode()
  const fill = postgres.hold(ROW_READ)
  const early = readTitle(node.visitor)
  await fill.arrived

  const { title, token } = await writeTitle(writer.admin, 'new')
  expect(title).toBe('new')
  const late = readTitle(node.visitor, token)
  await eventually(() => node.ledger.seen === writer.ledger.seen)
  const later = readTitle(node.visitor)
  fill.release()

  expect(await late).toBe('new')
  expect(await later).toBe('new')
  expect(['old', 'new']).toContain(await early)
  await expectNewEverywhere([node, writer])
})

it('gives a request that waits for the answer of another one what its token asks for', async () => {
  const node = await world.startNode({ databaseUrl: postgres.through(world.database.url) })
  const writer = await world.startNode()
  const fill = postgres.hold(ROW_READ)
  const early = readTitle(node.visitor)
  await fill.arrived
  const { token } = await writeTitle(writer.admin, 'new')
  const joined = () => readMetric(node.url, 'stet_cache_flights_joined_total')
  const before = await joined()
  const late = readTitle(node.visitor, token)
  await eventually(async () => (await joined()) > before)
  fill.release()
  expect(await late).toBe('new')
  expect(['old', 'new']).toContain(await early)
})

it('lets nobody believe what a node stored that had not heard of the write', async () => {
  const deaf = await world.startNode({ databaseUrl: postgres.through(world.database.url), redisUrl: undefined })
  postgres.lose(isNotification)
  const fill = postgres.hold(ROW_READ)
  const early = readTitle(deaf.visitor)
  await fill.arrived

  const writer = await world.startNode()
  const { token } = await writeTitle(writer.admin, 'new')
  fill.release()

  expect(await early).toBe('old')
  expect([...deaf.cache.entries()].map(({ value }) => value)).toContainEqual(expect.objectContaining({ title: 'old' }))
  expect(await readTitle(deaf.visitor, token)).toBe('new')
  expect(await readTitle(deaf.visitor)).toBe('new')
})

it('lets nobody believe an old row that reaches Redis after the write', async () => {
  // Read and stored before the write, on its way to Redis during it, there after it.
  const slow = await world.startNode({ environment: { REDIS_LINGER_MS: '60000' } })
  expect(await readTitle(slow.visitor)).toBe('old')
  const writer = await world.startNode({ redisUrl: undefined })
  const { token } = await writeTitle(writer.admin, 'new')
  await slow.flush()

  const fresh = await world.startNode()
  expect(await readTitle(fresh.visitor)).toBe('new')
  expect(await readTitle(slow.visitor, token)).toBe('new')
})

it('takes a row from a held reply of Redis only where it still stands', async () => {
  const filler = await world.startNode()
  expect(await readTitle(filler.visitor)).toBe('old')
  await filler.flush()

  const redis = await world.startGate(sharedServers().redisUrl)
  const node = await world.startNode({ redisUrl: redis.through(sharedServers().redisUrl), environment: PATIENT_REDIS })
  const reply = redis.hold(/\beval/i)
  const early = readTitle(node.visitor)
  await reply.arrived
  const { token } = await writeTitle(filler.admin, 'new')
  await eventually(() => node.ledger.seen === filler.ledger.seen)
  const late = readTitle(node.visitor, token)
  reply.release()

  expect(await late).toBe('new')
  expect(await early).toBe('new') // the ledger knew by the time the reply came
  await expectNewEverywhere([node, filler])
})

const PATIENT_REDIS = { REDIS_TIMEOUT_MS: '30000' }

/** Whoever asks from now on, wherever, and also a node that knows Redis alone. */
async function expectNewEverywhere(nodes: readonly Awaited<ReturnType<ArticleWorld['startNode']>>[]): Promise<void> {
  for (const node of nodes) {
    expect(await readTitle(node.visitor)).toBe('new')
    await node.flush()
  }
  const fresh = await world.startNode()
  expect(await readTitle(fresh.visitor)).toBe('new')
}
