import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { eventually } from '../../test/harness/index.ts'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { Ledger } from '../cache/index.ts'
import { Follower } from './follower.ts'
import { Log, startPruner } from './log.ts'

let database: Awaited<ReturnType<typeof createStetDatabase>>
const closers: (() => unknown)[] = []

beforeEach(async () => {
  database = await createStetDatabase()
})

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  await database.drop()
})

it('keeps the log, and what a ledger remembers of it, within their bounds while writes pour in', async () => {
  const log = new Log(database.pool)
  const ledger = new Ledger({ maxTags: MAX_TAGS })
  const follower = new Follower({ log, ledger, beatMs: 5 })
  await follower.start()
  closers.push(() => follower.stop())
  const errors: Error[] = []
  closers.push(startPruner({ log, keepRecords: KEEP, keepMs: 0, everyMs: 10, onError: (error) => errors.push(error) }))

  for (let round = 0; round < ROUNDS; round++) {
    await database.pool.query(
      `do $$ begin for n in 1..${EACH} loop insert into articles values (${round * EACH} + n); end loop; end $$`,
    )
    // What is in excess goes while the writes go on: at no time is there much more than one round of it.
    await eventually(async () => (await records()) <= KEEP + EACH)
    expect(ledger.size).toBeLessThanOrEqual(MAX_TAGS)
  }
  await follower.settle()
  await eventually(async () => (await records()) === KEEP)
  expect(ledger.seen).toBe(ROUNDS * EACH)
  expect(ledger.size).toBeLessThanOrEqual(MAX_TAGS)
  // Of what it forgot nothing stands.
  expect(ledger.floor).toBeGreaterThan(ledger.seen - MAX_TAGS)
  expect(errors).toEqual([])
})

it('keeps what is young, however much it is', async () => {
  const log = new Log(database.pool)
  await database.pool.query(`do $$ begin for n in 1..${EACH} loop insert into articles values (n); end loop; end $$`)
  await log.sequence()
  await database.pool.query(`update stet.log set written_at = now() - interval '1 hour' where position <= 100`)
  closers.push(startPruner({ log, keepRecords: 1, keepMs: 60_000, everyMs: 10, onError: () => {} }))
  await eventually(async () => (await records()) === EACH - 100)
  expect(await log.prune(1, 60_000)).toBe(0)
  expect(await records()).toBe(EACH - 100)
})

const KEEP = 200
const MAX_TAGS = 1000
const ROUNDS = 20
const EACH = 500

async function records(): Promise<number> {
  const { rows } = await database.pool.query<{ count: string }>('select count(*) from stet.log')
  return Number(rows[0]?.count)
}
