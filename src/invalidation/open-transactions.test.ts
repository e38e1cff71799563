import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { PoolClient } from 'pg'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { Random } from '../kernel/random.ts'
import { Log } from './log.ts'

/** What is pending is found by the transactions that had not ended: nothing may slip through, and nothing else be read. */
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))

let database: Awaited<ReturnType<typeof createStetDatabase>>
let log: Log

beforeEach(async () => {
  database = await createStetDatabase()
  log = new Log(database.pool)
  await log.sequence()
})

afterEach(() => database.drop())

it(`misses nothing that is pending, whichever transactions overlap (TEST_SEED=${seed})`, async () => {
  console.log(`TEST_SEED=${seed} repeats this run.`)
  const random = new Random(seed)
  const writers: Writer[] = []
  for (let n = 0; n < 5; n++) writers.push({ client: await database.pool.connect(), is: 'idle' })
  const onlooker = await database.pool.connect()
  let ids = 0
  let pendingSeen = 0
  let overlaps = 0
  for (let step = 0; step < 1500; step++) {
    const writer = writers[random.below(writers.length)] as Writer
    if (random.below(4) === 0) {
      await log.sequence()
      overlaps += writers.some(({ is }) => is === 'writing') ? 1 : 0
    } else {
      await takeStep(writer, random, () => ++ids)
    }
    for (const client of [onlooker, ...writers.flatMap(({ client, is }) => (is === 'looking' ? [client] : []))]) {
      const { rows } = await client.query<{ told: boolean; there: boolean }>(
        'select unsettled as told, exists (select from (select id from stet.pending offset 0) all_of_it) as there from stet.as_of',
      )
      expect(rows[0]?.told).toBe(rows[0]?.there)
      pendingSeen += rows[0]?.there ? 1 : 0
    }
  }
  for (const { client, is } of writers) if (is !== 'idle') await client.query('commit')
  await log.sequence()
  expect((await onlooker.query('select from stet.pending')).rows).toEqual([])
  const { rows } = await onlooker.query(
    `select (select array_agg(position::int order by position) from stet.log) as positions,
            (select count(*)::int from articles a where not exists (select from stet.log where tags @> array['articles:' || a.id])) as lost`,
  )
  expect(rows[0].lost).toBe(0)
  expect(rows[0].positions).toEqual(Array.from(rows[0].positions, (_, index) => index + 1))
  // Else it would have proved nothing.
  expect(Math.min(pendingSeen, overlaps, ids)).toBeGreaterThan(100)
  for (const { client } of [...writers, { client: onlooker }]) client.release()
}, 120_000)

it.each([
  ['reads', 'begin isolation level repeatable read; select from articles'],
  ['writes', 'begin; insert into articles values (999999)'],
])('reads no more than ever while a transaction that %s stays open for long', async (_what, begin) => {
  const long = await database.pool.connect()
  await long.query(begin)
  await write(1)
  await log.sequence()
  const cost = { asOf: await blocksOf('select * from stet.as_of'), sequence: await blocksOf(SEQUENCE) }
  for (let round = 1; round <= 20; round++) {
    await write(1000)
    await log.sequence()
  }
  // Twenty thousand rows that the vacuum must leave are some two hundred blocks.
  await database.pool.query('vacuum stet.pending')
  expect(await blocksOf('select * from stet.as_of')).toBeLessThan(cost.asOf + 20)
  expect(await blocksOf(SEQUENCE)).toBeLessThan(cost.sequence + 30)
  await write(1)
  expect(await log.sequence()).toMatchObject({ sequenced: 1 })
  await long.query('commit')
  long.release()
  await log.sequence()
  expect((await database.pool.query('select from stet.pending')).rows).toEqual([])
})

it('moves more than a statement could in its time by parts, all of it before it resolves', async () => {
  await database.pool.query(`insert into stet.pending (tags) select array['t:' || n] from generate_series(1, 250000) n`)
  // How many this call numbered itself is not said: if a part takes long, the log is asked on a second connection, too.
  expect(await log.sequence()).toMatchObject({ position: 250_000 })
  const { rows } = await database.pool.query('select count(distinct xmin::text)::int as parts from stet.log')
  expect(rows).toEqual([{ parts: 3 }])
})

it('goes on where transactions are numbered from an earlier one on, as in a restored dump', async () => {
  await write(1)
  await log.sequence()
  await database.pool.query(`update stet.log set next_xact = '1000000000', open_xacts = '{1}'`)
  await write(1)
  // A record of its own says so, as with a new epoch.
  expect(await log.sequence()).toMatchObject({ sequenced: 2 })
  await write(1)
  expect(await log.sequence()).toMatchObject({ sequenced: 1 })
})

it('keeps no lock for whoever sequences in a transaction and then does nothing', async () => {
  await write(1)
  const { rows } = await database.pool
    .query(`begin; select stet.sequence(); show idle_in_transaction_session_timeout; rollback`)
    .then((results) => (results as unknown as { rows: unknown[] }[])[2] ?? { rows: [] })
  expect(rows).toEqual([{ idle_in_transaction_session_timeout: '10s' }])
})

interface Writer {
  readonly client: PoolClient
  /** `looking`: at a snapshot of its own, which stays. */
  is: 'idle' | 'writing' | 'looking'
}

async function takeStep(writer: Writer, random: Random, nextId: () => number): Promise<void> {
  const { client } = writer
  switch (writer.is) {
    case 'idle': {
      writer.is = random.below(3) === 0 ? 'looking' : 'writing'
      await client.query(
        writer.is === 'looking' ? 'begin isolation level repeatable read; select from articles' : 'begin',
      )
      return
    }
    case 'looking': {
      if (random.below(4) > 0) return
      await client.query('commit')
      writer.is = 'idle'
      return
    }
    case 'writing': {
      const roll = random.below(10)
      if (roll < 5) await client.query('insert into articles values ($1)', [nextId()])
      else if (roll < 6) await client.query(`savepoint s; insert into articles values (${nextId()}); release s`)
      else if (roll < 7) await client.query(`savepoint s; insert into articles values (${nextId()}); rollback to s`)
      else {
        await client.query(roll < 9 ? 'commit' : 'rollback')
        writer.is = 'idle'
      }
      return
    }
    default:
      writer.is satisfies never
  }
}

const SEQUENCE = 'select * from stet.sequence()'

/** How many blocks a statement looks at. */
async function blocksOf(statement: string): Promise<number> {
  // The first time it also reads about the tables.
  await database.pool.query(statement)
  const { rows } = await database.pool.query(`explain (analyze, buffers, format json) ${statement}`)
  const plan = rows[0]['QUERY PLAN'][0].Plan
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
}

const write = (statements: number) =>
  database.pool.query(
    `do $$ begin for n in 1..${statements} loop insert into stet.pending (tags) values (array['t:' || n]); end loop; end $$`,
  )
