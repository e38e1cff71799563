import { afterEach, beforeEach, expect, it } from '@jest/globals'
import {
  eventually,
  type FaultProxy,
  readMetric,
  replicaIs,
  startFaultProxy,
  startPostgres,
  type TestNode,
} from '../../harness/index.ts'
import { use } from '../../harness/use.ts'
import { ManualClock } from '../../models/manual-clock.ts'
import { type ArticleWorld, createArticleWorld, readTitle } from '../races/article-world.ts'
import { type Loads, type OpenLoadsOptions, openLoads } from './replica-world.ts'

/** Loads from a standby that hangs, is lost, is too busy, and comes back. */
const postgres = use(await startPostgres(), (it) => it.stop())
const standby = use(await postgres.startStandby(), (it) => it.stop())
let world: ArticleWorld
/** Lead to the primary and to the standby. */
let primaryDoor: FaultProxy
let door: FaultProxy
const opened: Loads[] = []

beforeEach(async () => {
  world = await createArticleWorld(postgres.createDatabase)
  await standby.caughtUp()
  primaryDoor = await startFaultProxy(addressOf(postgres.url))
  door = await startFaultProxy(addressOf(standby.url))
})

afterEach(async () => {
  await standby.resume()
  for (const loads of opened.splice(0)) await loads.close()
  await door.close()
  await primaryDoor.close()
  await world.end()
})

it('asks the primary while the replica hangs, and the replica again once it goes on', async () => {
  const loads = await open()
  await loads.is('well')
  expect(await loads.loadMany(30)).toEqual({ primary: 0, replica: 30 })

  await standby.pause()
  // More than may run at a time: some wait for their turn behind those that hang.
  expect(await loads.loadMany(30)).toEqual({ primary: 30, replica: 0 })
  await loads.is('away')
  expect(await loads.loadMany(30)).toEqual({ primary: 30, replica: 0 })

  await standby.resume()
  await loads.is('well')
  // Neither a place nor a connection was lost to what had hung.
  expect(await loads.loadMany(30)).toEqual({ primary: 0, replica: 30 })
})

it('makes no load wait for a replica that is not known to be well', async () => {
  const clock = new ManualClock()
  const loads = await open({ timeoutMs: 60_000, clock })
  await standby.pause()
  expect(await loads.load()).toBe('primary')
  clock.advance(0) // the first probe, which waits for longer than the test does
  expect(await loads.loadMany(30)).toEqual({ primary: 30, replica: 0 })
  expect(loads.states).toEqual([])
  expect(loads.fallbacks).toEqual([])
})

it('waits for a load no longer than the time-out, and then leaves the replica alone', async () => {
  const loads = await open({ timeoutMs: 1000 })
  await loads.is('well')
  await loads.load()
  door.stall()
  const begun = performance.now()
  expect(await loads.load()).toBe('primary')
  expect(performance.now() - begun).toBeLessThan(4000)
  await loads.is('away')
  const later = performance.now()
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
  expect(performance.now() - later).toBeLessThan(1000)
})

it('never asks one that takes connections and never answers a handshake', async () => {
  door.stall()
  const loads = await open()
  await loads.is('away')
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
  expect(loads.fallbacks).toEqual([])
  await door.restore()
  await loads.is('well')
  expect(await loads.load()).toBe('replica')
})

it('gives up a connection that a firewall has forgotten, and makes others', async () => {
  const loads = await open()
  await loads.is('well')
  await loads.loadMany(10)
  door.halfOpen()
  expect(await loads.load()).toBe('primary')
  await eventually(() => loads.states.join() === 'well,unknown,well')
  expect(await loads.loadMany(10)).toEqual({ primary: 0, replica: 10 })
})

it('trusts one that hangs in the middle of answers less each time, though it answers every probe', async () => {
  const clock = new ManualClock()
  const loads = await open({ clock })
  clock.advance(0)
  await loads.is('well')
  door.throttle(1_000_000)
  expect(await loads.load()).toBe('replica')
  expect(await loads.load(SLOW_TO_SEND)).toBe('primary')
  clock.advance(0)
  await loads.is('well')
  expect(await loads.load(SLOW_TO_SEND)).toBe('primary')
  clock.advance(999)
  await loads.is('unknown')
  expect(await loads.load()).toBe('primary')
  clock.advance(1)
  await loads.is('well')
  expect(await loads.load()).toBe('replica')
})

it('asks the primary if too many loads wait for the replica', async () => {
  const gate = await world.startGate(standby.url)
  const loads = await open({ replicaUrl: gate.through(standbyUrl()), loads: { concurrent: 1, queued: 0 } })
  await loads.is('well')
  const first = gate.hold(/"held"/)
  const held = loads.load('from (select) "held"')
  await first.arrived
  expect(await loads.load()).toBe('primary')
  first.release()
  expect(await held).toBe('replica')
  expect(loads.fallbacks).toEqual(['busy'])
  expect(loads.states).toEqual(['well'])
})

it('lets the server end a statement that takes too long, and asks it the next time as before', async () => {
  const loads = await open()
  await loads.is('well')
  expect(await loads.load(`from pg_sleep(case when pg_is_in_recovery() then 30 else 0 end)`)).toBe('primary')
  expect(await loads.load()).toBe('replica')
  expect([loads.states, loads.fallbacks]).toEqual([['well'], ['failed']])
})

it('asks the primary what the replica lacks, because a migration has just made it', async () => {
  await world.sql('alter table users rename display_name to old_name')
  await standby.caughtUp()
  await standby.pauseReplay()
  try {
    await world.sql('alter table users rename old_name to display_name')
    const node = await startNode()
    await replicaIs(node, 'well')
    const { article } = await node.visitor.get('{ article(slug: "one") { title author { displayName } } }')
    expect(article).toEqual({ title: 'old', author: { displayName: 'Ada' } })
  } finally {
    await standby.resumeReplay()
  }
})

it('asks the primary where the replica refuses connections, and the replica once it is back', async () => {
  const loads = await open()
  await loads.is('well')
  await loads.loadMany(10)
  await door.cut()
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
  await loads.is('away')
  await door.restore()
  await loads.is('well')
  expect(await loads.loadMany(10)).toEqual({ primary: 0, replica: 10 })
})

it('goes on with the replica while the primary is away, also if the replica was away too', async () => {
  const loads = await open()
  await loads.is('well')
  await primaryDoor.cut()
  expect(await loads.loadMany(10)).toEqual({ primary: 0, replica: 10 })
  await door.cut()
  await loads.is('away')
  await door.restore()
  await loads.is('well')
  expect(await loads.loadMany(10)).toEqual({ primary: 0, replica: 10 })
})

it('calls the replica away only once a probe was not answered', async () => {
  const clock = new ManualClock()
  const loads = await open({ clock })
  clock.advance(0)
  await loads.is('well')
  await standby.pause()
  await loads.load()
  expect(loads.states).toEqual(['well', 'unknown'])
  clock.advance(0)
  await loads.is('away')
  await standby.resume()
  clock.advance(1000)
  await loads.is('well')
})

it('ends though the replica hangs', async () => {
  const loads = await open()
  await loads.is('well')
  await loads.loadMany(10)
  await standby.pause()
  opened.pop()
  await loads.close()
})

it('answers at once on a node that starts while the replica hangs, and says so', async () => {
  await standby.pause()
  const node = await startNode({ DATABASE_REPLICA_TIMEOUT_MS: '600000' })
  expect(await readTitle(node.visitor)).toBe('old')
  expect(await ready(node)).toMatchObject({
    status: 200,
    text: expect.stringContaining('replica: failing, because it has not answered a probe yet\n'),
  })
})

it('says in /readyz and in metrics how the replica is, and is ready whatever it is', async () => {
  const node = await startNode({ DATABASE_REPLICA_TIMEOUT_MS: '100' })
  await replicaIs(node, 'well')
  expect(await ready(node)).toMatchObject({ status: 200, text: expect.stringContaining('replica: ok\n') })
  await standby.pause()
  expect(await readTitle(node.visitor)).toBe('old')
  await replicaIs(node, 'away')
  expect(await readMetric(node.url, 'stet_replica_state', { state: 'well' })).toBe(0)
  expect(await readMetric(node.url, 'stet_replica_fallbacks_total', { why: 'failed' })).toBeGreaterThan(0)
  expect(await ready(node)).toMatchObject({
    status: 200,
    text: expect.stringContaining('replica: failing, because it does not answer\n'),
  })
})

/** Takes seconds at a megabyte a second. */
const SLOW_TO_SEND = `, repeat(md5(n::text), 1000) as text from generate_series(1, 100) n`

const standbyUrl = () => standby.urlOf(world.database)

async function open(options: Partial<OpenLoadsOptions> = {}): Promise<Loads> {
  const loads = await openLoads({
    url: primaryDoor.through(world.database.url),
    replicaUrl: door.through(standbyUrl()),
    ...options,
  })
  opened.push(loads)
  return loads
}

const startNode = (environment: Record<string, string> = {}): Promise<TestNode> =>
  world.startNode({ redisUrl: undefined, environment: { DATABASE_REPLICA_URL: standbyUrl(), ...environment } })

async function ready(node: TestNode) {
  const response = await fetch(`${node.url}/readyz`)
  return { status: response.status, text: await response.text() }
}

function addressOf(url: string) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
