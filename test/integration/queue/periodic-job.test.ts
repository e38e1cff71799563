import { beforeEach, expect, it } from '@jest/globals'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { migrate } from '../../../src/database/migrate.ts'
import { createPool } from '../../../src/database/pool.ts'
import type { Tables } from '../../../src/database/tables.ts'
import { type PeriodicJob, runIfDue, startPeriodicJob } from '../../../src/worker/periodic-job.ts'
import { eventually, queryOnce } from '../../harness/index.ts'
import { use, useDatabase } from '../../harness/use.ts'
import { ManualClock } from '../../models/manual-clock.ts'

const database = await useDatabase()
const pool = createPool({ url: database.url, max: 5, statementTimeoutMs: 5000, onError: () => {} })
const primary = use(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), (it) => it.destroy())
await migrate(primary)
await queryOnce(database.url, 'create table runs (pid int)')

beforeEach(() => queryOnce(database.url, 'truncate runs, stet.job'))

const RUN: PeriodicJob['run'] = (transaction) => sql`insert into runs values (pg_backend_pid())`.execute(transaction)
const parts = (run = RUN, everyMs = 60_000) => ({
  job: { name: 'job', everyMs, run },
  primary,
  onCommit: async () => {},
  onError: () => {},
})

it('is run by one process where many find it due, and not again before its time', async () => {
  await Promise.all(Array.from({ length: 10 }, () => runIfDue(parts())))
  expect(await runs()).toBe(1)
  const waitMs = await runIfDue(parts())
  expect(waitMs).toBeGreaterThan(50_000)
  expect(waitMs).toBeLessThanOrEqual(60_000)
  expect(await runs()).toBe(1)
  await queryOnce(database.url, `update stet.job set ran_at = ran_at - interval '1 minute'`)
  await runIfDue(parts())
  expect(await runs()).toBe(2)
})

it('keeps others from it while it runs', async () => {
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  let begun = false
  const running = runIfDue(
    parts(async (transaction) => {
      await RUN(transaction)
      begun = true
      await held
    }),
  )
  await eventually(() => begun)
  expect(await runIfDue(parts())).toBe(60_000)
  end()
  await running
  expect(await runs()).toBe(1)
})

it('stops, and has done nothing, where the lock is lost; another process runs it', async () => {
  const lost = runIfDue(
    parts(async (transaction) => {
      await RUN(transaction)
      const { rows } = await sql<{ pid: number }>`select pid from runs`.execute(transaction)
      await queryOnce(database.url, 'select pg_terminate_backend($1, 5000)', [rows[0]?.pid])
      expect(await runIfDue(parts())).toBe(60_000)
      await RUN(transaction)
    }),
  )
  await expect(lost).rejects.toThrow()
  expect(await runs()).toBe(1)
})

it('is tried again after a failure', async () => {
  const errors: Error[] = []
  const clock = new ManualClock()
  let tries = 0
  const stop = startPeriodicJob({
    ...parts(async (transaction) => {
      if (++tries === 1) throw new Error('not yet')
      return RUN(transaction)
    }, 20_000),
    onError: (error) => errors.push(error),
    clock,
  })
  await eventually(() => {
    clock.advance(5000)
    return tries >= 2
  })
  await stop()
  expect(errors.map(({ message }) => message)).toEqual(['not yet'])
  expect(await runs()).toBe(1)
})

async function runs(): Promise<number> {
  const [row] = await queryOnce(database.url, 'select count(*)::int as runs from runs')
  return Number(row?.runs)
}
