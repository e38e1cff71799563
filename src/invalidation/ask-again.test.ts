import { afterEach, beforeEach, expect, it } from '@jest/globals'
import pg from 'pg'
import { eventually, type FaultProxy, queryOnce, startFaultProxy } from '../../test/harness/index.ts'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { Log } from './log.ts'

/** Between the log and PostgreSQL stands a proxy that lets single connections hang. */
let database: Awaited<ReturnType<typeof createStetDatabase>>
let proxy: FaultProxy
let pool: pg.Pool
let cuts: number

beforeEach(async () => {
  database = await createStetDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  pool = new pg.Pool({ connectionString: proxy.through(database.url), max: 3 })
  pool.on('error', () => {})
  cuts = 0
})

afterEach(async () => {
  await proxy.close()
  await pool.end()
  await database.drop()
})

it('asks on another connection if the one that it has hangs, and cuts that one', async () => {
  const log = open()
  await log.sequence()
  expect(proxy.halfOpen('stet.sequence')).toBe(1)
  await write(1)
  expect(await log.sequence()).toMatchObject({ position: 1 })
  expect(cuts).toBe(1)
  await eventually(() => pool.totalCount === 1)
})

it('asks on a new connection if every open one hangs', async () => {
  const log = open()
  await Promise.all([log.sequence(), log.recordsFrom(1, 1)])
  const hung = proxy.halfOpen()
  expect(hung).toBeGreaterThan(1)
  await write(1)
  expect(await log.sequence()).toMatchObject({ position: 1 })
  expect(cuts).toBe(hung)
})

it('reads records, and begins an epoch, although the connection hangs', async () => {
  const log = open()
  const { epoch } = await log.sequence()
  await write(1)
  await log.sequence()
  proxy.halfOpen()
  expect(await log.recordsFrom(1, 1)).toMatchObject([{ position: 1 }])
  proxy.halfOpen()
  await log.startEpoch(epoch)
  expect((await log.sequence()).epoch).not.toBe(epoch)
})

it('takes the answer of a server that is slow, and cuts nothing', async () => {
  const log = open(1000)
  await write(1)
  const [before, between] = [await lockHolder(), await lockHolder()]
  await before.lock()
  const sequenced = log.sequence()
  await eventually(async () => (await waiting()) === 1)
  const locked = between.lock()
  // It asks once more, behind both.
  await eventually(async () => (await waiting()) === 3)
  await before.end()
  expect(await sequenced).toMatchObject({ position: 1, sequenced: 1 })
  await locked
  expect(await waiting()).toBe(1)
  await between.end()
  await eventually(async () => (await waiting()) === 0)
  expect(cuts).toBe(0)
  expect(pool.totalCount).toBe(2)
})

it('does not ask again because this process paused', async () => {
  // Not through the proxy, which would pause as well.
  const direct = new pg.Pool({ connectionString: database.url, max: 3 })
  direct.on('error', () => {})
  const log = new Log(direct, { askAgainMs: 100 })
  await log.sequence()
  const sequenced = log.sequence()
  // So that the query is sent.
  await new Promise(setImmediate)
  const until = performance.now() + 500
  while (performance.now() < until);
  await sequenced
  expect(direct.totalCount).toBe(1)
  await direct.end()
})

it('rejects if no connection can be made', async () => {
  const log = open()
  await log.sequence()
  await proxy.cut()
  await expect(log.sequence()).rejects.toThrow()
  await proxy.restore()
  expect(await log.sequence()).toMatchObject({ position: 0 })
})

/** PostgreSQL gives a lock to whoever has waited longest. */
async function lockHolder(): Promise<{ readonly lock: () => Promise<unknown>; readonly end: () => Promise<void> }> {
  const client = new pg.Client(database.url)
  await client.connect()
  return {
    lock: () => client.query(`select pg_advisory_lock(hashtext('stet.sequence'))`),
    end: () => client.end(),
  }
}

function open(askAgainMs = 50): Log {
  return new Log(pool, { askAgainMs, onCut: () => void cuts++ })
}

const write = (id: number) => database.pool.query('insert into articles values ($1)', [id])

const waiting = async (): Promise<number> =>
  (
    await queryOnce(
      database.url,
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
  ).length
