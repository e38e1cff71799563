import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { runStet } from '../../api/run-stet.ts'
import { eventually, type PostgresServer } from '../../harness/index.ts'
import { ROW_READ, readTitle } from '../races/article-world.ts'
import type { ServedNode } from './served-node.ts'
import { createServedWorld, type ServedWorld } from './served-world.ts'
import { startLoggingPostgres } from './statement-log.ts'

/** What whoever runs a fleet does to its cache, over real processes. */
let postgres: PostgresServer
let world: ServedWorld
let nodes: readonly [ServedNode, ServedNode, ServedNode]

beforeAll(async () => {
  postgres = await startLoggingPostgres()
  world = await createServedWorld(postgres)
  nodes = await Promise.all([world.serve('node 1'), world.serve('node 2'), world.serve('node 3')])
  // Enough for the first node to remember what is hot: in a while, when it writes that down.
  for (let asked = 0; asked < 100; asked++) await nodes[0].visitor.get(HOT)
})

afterAll(async () => {
  await world.end()
  await postgres.stop()
})

it('purges by the pattern of keys from Redis, and from the memory of every node', async () => {
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('old')
  await world.behindTheLog(`update articles set title = 'new' where id = 1`)
  await eventually(async () => (await world.keysInRedis('1:article.*')).length > 0)
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('old')
  const users = await world.keysInRedis('1:user.*')
  expect(users).not.toEqual([])

  const purge = await runStet(['cache', 'purge', '--pattern', 'article.*', '--json'], world.environment)
  expect([purge.code, purge.stderr]).toEqual([0, ''])
  expect(await world.keysInRedis('1:article.*')).toEqual([])
  const mark = await world.statements.mark()
  const token = await world.token()
  for (const node of nodes) expect(await readTitle(node.visitor, token)).toBe('new')
  expect(await world.statements.since(mark, ROW_READ)).toHaveLength(1)
  expect(await world.keysInRedis('1:user.*')).toEqual(users)
})

it('tells every node of a purge, also who does not ask for it', async () => {
  await world.behindTheLog(`update articles set title = 'newer' where id = 1`)
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('new')
  await runStet(['cache', 'purge', '--pattern', 'article.*'], world.environment)
  for (const node of nodes) await eventually(async () => (await readTitle(node.visitor)) === 'newer')
})

it('warms the next version with what nodes remember as hot, so that its first answer costs no SQL', async () => {
  await eventually(async () => (await world.keysInRedis('hot:*')).length > 0)
  const next = { CACHE_VERSION: '2' }
  const warm = await runStet(['cache', 'warm', '--json'], { ...world.environment, ...next })
  expect([warm.code, warm.stderr, JSON.parse(warm.stdout)]).toEqual([0, '', expect.objectContaining({ failed: [] })])
  const node = await world.serve('node of the next version', next)
  const mark = await world.statements.mark()
  const { data, headers } = await node.visitor.send(HOT)
  expect(data).toEqual(await nodes[1].visitor.get(HOT))
  expect(headers.get('x-cache')).toBe('HIT')
  const read = await world.statements.since(mark, /from (articles a|"(articles|users|tags)")/)
  expect(read.filter(({ by }) => by === node.name)).toEqual([])
  expect(await world.keysInRedis('2:article-list.*')).not.toEqual([])
})

const HOT = '{ articles(first: 2) { totalCount nodes { title author { displayName } } } }'
