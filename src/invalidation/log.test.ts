import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { eventually } from '../../test/harness/index.ts'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { Random } from '../kernel/random.ts'
import { installStet } from './install.ts'
import { Log } from './log.ts'

let database: Awaited<ReturnType<typeof createStetDatabase>>
let log: Log

beforeEach(async () => {
  database = await createStetDatabase()
  log = new Log(database.pool)
})

afterEach(() => database.drop())

it('ends at 0 while nothing was written', async () => {
  expect(await log.sequence()).toEqual({ epoch: expect.any(String), position: 0, writtenAtUs: undefined, sequenced: 0 })
})

it('gives committed writes the positions 1, 2, 3 …, and tells what it gave', async () => {
  await database.pool.query('insert into articles values (1)')
  await database.pool.query('insert into articles values (2)')
  const tip = await log.sequence()
  const [first, last] = await log.recordsFrom(1, 10)
  expect(tip).toMatchObject({ position: 2, sequenced: 2, writtenAtUs: last?.writtenAtUs })
  expect(first).toMatchObject({ position: 1, tags: expect.arrayContaining(['articles:1']) })
  expect(last).toMatchObject({ position: 2, tags: expect.arrayContaining(['articles:2']) })
  expect(Math.abs(Number(last?.writtenAtUs) / 1000 - Date.now())).toBeLessThan(60_000)
  expect(await log.sequence()).toEqual({ ...tip, sequenced: 0, records: undefined })
})

it('tells the records it gave their positions, after the one before them', async () => {
  const insert = (id: number) => database.pool.query('insert into articles values ($1)', [id])
  await insert(1)
  const { records } = await log.sequence()
  expect(records).toEqual(await log.recordsFrom(1, 10))
  await insert(2)
  await insert(3)
  expect((await log.sequence()).records).toEqual(await log.recordsFrom(1, 10))
})

it.each([
  ['many', () => Array.from({ length: 21 }, (_, id) => `insert into articles values (${id})`)],
  ['long', () => [`select stet.touch(variadic array_agg('tag:' || n)) from generate_series(1, 1000) n`]],
])('does not tell records that are %s', async (_, statements) => {
  for (const statement of statements()) await database.pool.query(statement)
  const tip = await log.sequence()
  expect(tip).toMatchObject({ sequenced: tip.position, records: undefined })
})

it('reads a page from a position on, itself included', async () => {
  for (let id = 1; id <= 5; id++) await database.pool.query('insert into articles values ($1)', [id])
  await log.sequence()
  expect((await log.recordsFrom(2, 3)).map(({ position }) => position)).toEqual([2, 3, 4])
})

it('gives a write its position when it commits, not when it was made', async () => {
  const late = await database.pool.connect()
  await late.query('begin')
  await late.query('insert into articles values (1)')
  await database.pool.query('insert into articles values (2)')
  expect(await log.sequence()).toMatchObject({ position: 1 })
  await late.query('commit')
  late.release()
  expect(await log.sequence()).toMatchObject({ position: 2, sequenced: 1 })
  expect((await log.recordsFrom(2, 1))[0]?.tags).toContain('articles:1')
})

it('gives each write one position, however many ask at once', async () => {
  for (let id = 1; id <= 50; id++) await database.pool.query('insert into articles values ($1)', [id])
  const tips = await Promise.all(Array.from({ length: 12 }, () => log.sequence()))
  expect(tips.map(({ position }) => position)).toEqual(tips.map(() => 50))
  expect(tips.reduce((sum, { sequenced }) => sum + sequenced, 0)).toBe(50)
})

it('waits for another sequencer, and goes on where it ended', async () => {
  const first = await database.pool.connect()
  await database.pool.query('insert into articles values (1)')
  await first.query('begin')
  await first.query('select stet.sequence()')
  await database.pool.query('insert into articles values (2)')
  const second = log.sequence()
  await eventually(async () => {
    const { rows } = await database.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return rows.length === 1
  })
  await first.query('commit')
  first.release()
  expect(await second).toMatchObject({ position: 2, sequenced: 1 })
})

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))

it(`never shows a position to a reader who does not see all that was logged up to it (TEST_SEED=${seed})`, async () => {
  const dice = new Random(seed)
  const sightings: { position: number; ids: Set<number> }[] = []
  let writing = true
  const write = async (worker: number) => {
    for (let turn = 0; turn < 25; turn++) {
      const client = await database.pool.connect()
      await client.query('begin')
      await client.query('insert into articles values ($1, $2)', [1000 * worker + turn, worker])
      // Transactions of different length: some begin first and commit last.
      for (let pause = dice.below(8); pause > 0; pause--) await client.query('select')
      await client.query(turn % 7 === 0 ? 'rollback' : 'commit')
      client.release()
      if (turn % 3 === 0) await log.sequence()
    }
  }
  const read = async () => {
    while (writing) {
      const { rows } = await database.pool.query(
        'select position::int, array(select id from articles) as ids from stet.as_of',
      )
      sightings.push({ position: rows[0].position, ids: new Set(rows[0].ids) })
    }
  }
  const readers = [read(), read()]
  await Promise.all([1, 2, 3, 4, 5].map(write))
  writing = false
  await Promise.all(readers)
  await log.sequence()

  const records = await log.recordsFrom(0, 10_000)
  expect(records.map(({ position }) => position)).toEqual(records.map((_, index) => index + 1))
  const logged = records.map(({ tags }) => Number(tags.find((tag) => /^articles:\d+$/.test(tag))?.slice(9)))
  const { rows } = await database.pool.query('select array(select id from articles) as ids')
  expect(new Set(logged)).toEqual(new Set(rows[0].ids))
  for (const { position, ids } of sightings) {
    expect(logged.slice(0, position).filter((id) => !ids.has(id))).toEqual([])
  }
  expect(new Set(sightings.map(({ position }) => position)).size).toBeGreaterThan(5)
})

it('says of a snapshot whether it shows writes that have no position yet', async () => {
  const asOf = async () => (await database.pool.query('select position::int, unsettled from stet.as_of')).rows
  expect(await asOf()).toEqual([{ position: 0, unsettled: false }])
  await database.pool.query('insert into articles values (1)')
  expect(await asOf()).toEqual([{ position: 0, unsettled: true }])
  await log.sequence()
  expect(await asOf()).toEqual([{ position: 1, unsettled: false }])
})

for (const level of ['repeatable read', 'serializable']) {
  it(`refuses to sequence in a ${level} transaction, which cannot see the log's end`, async () => {
    const client = await database.pool.connect()
    await client.query(`begin isolation level ${level}`)
    await expect(client.query('select stet.sequence()')).rejects.toThrow('needs READ COMMITTED')
    await client.query('rollback')
    client.release()
  })
}

it('loses nothing where a sequencer is cut off before it commits', async () => {
  await database.pool.query('insert into articles values (1)')
  const dying = await database.pool.connect()
  dying.on('error', () => {})
  await dying.query('begin')
  const { rows } = await dying.query('select sequenced::int, pg_backend_pid() as pid from stet.sequence()')
  expect(rows[0].sequenced).toBe(1)
  const waiting = log.sequence()
  await database.pool.query('select pg_terminate_backend($1)', [rows[0].pid])
  expect(await waiting).toMatchObject({ position: 1, sequenced: 1 })
  dying.release(true)
})

it('tells those who listen how far the log goes', async () => {
  const client = await database.pool.connect()
  const payload = new Promise((resolve) => client.on('notification', (message) => resolve(message.payload)))
  await client.query('listen stet')
  await database.pool.query('insert into articles values (1), (2)')
  await log.sequence()
  expect(await payload).toBe('1')
  client.release(true)
})

it('prunes what is beyond both bounds, and never the last record', async () => {
  await fill(10)
  await database.pool.query(`update stet.log set written_at = now() - interval '1 hour' where position <= 6`)
  expect(await log.prune(7, 60_000)).toBe(3)
  expect(await log.prune(1, 60_000)).toBe(3)
  expect((await log.recordsFrom(0, 100)).map(({ position }) => position)).toEqual([7, 8, 9, 10])
  await database.pool.query(`update stet.log set written_at = now() - interval '1 hour'`)
  expect(await log.prune(0, 0)).toBe(3)
  expect(await log.sequence()).toMatchObject({ position: 10 })
})

it('never prunes a record between others, though a late committer wrote it long before', async () => {
  await fill(5)
  await database.pool.query(`update stet.log set written_at = now() - interval '1 hour' where position in (1, 3)`)
  expect(await log.prune(1, 60_000)).toBe(1)
  expect((await log.recordsFrom(0, 100)).map(({ position }) => position)).toEqual([2, 3, 4, 5])
})

it('goes on counting after a pruning', async () => {
  await fill(3)
  await database.pool.query(`update stet.log set written_at = now() - interval '1 hour'`)
  await log.prune(1, 0)
  await database.pool.query('update articles set author_id = 1 where id = 1')
  expect(await log.sequence()).toMatchObject({ position: 4, sequenced: 1 })
})

it('begins another epoch once, however many find out at once', async () => {
  const { epoch } = await log.sequence()
  await Promise.all(Array.from({ length: 6 }, () => log.startEpoch(epoch)))
  const next = await log.sequence()
  expect(next.epoch).not.toBe(epoch)
  await log.startEpoch(epoch)
  expect((await log.sequence()).epoch).toBe(next.epoch)
})

it('is installed once', async () => {
  await database.pool.query('insert into articles values (1)')
  await installStet(database.pool)
  expect(await log.sequence()).toMatchObject({ position: 1 })
})

async function fill(records: number): Promise<void> {
  for (let id = 1; id <= records; id++) {
    await database.pool.query('insert into articles values ($1)', [id])
    await log.sequence()
  }
}
