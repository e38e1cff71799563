import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { eventually } from './eventually.ts'
import type { PostgresServer, Standby } from './postgres-server.ts'
import { queryOnce } from './query-once.ts'
import { startPostgres } from './start-postgres.ts'

let postgres: PostgresServer

beforeAll(async () => {
  postgres = await startPostgres()
})

afterAll(() => postgres.stop())

it('has after a kill and a restart, at the same address, what was committed before', async () => {
  const database = await postgres.createDatabase()
  await queryOnce(database.url, 'create table kept as select 42 as answer')
  await postgres.kill()
  await expect(queryOnce(database.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await postgres.restart()
  expect(await queryOnce(database.url, 'select answer from kept')).toEqual([{ answer: 42 }])
})

it('answers nobody while paused, and those who waited when resumed', async () => {
  await postgres.pause()
  let answered = false
  const query = queryOnce(postgres.url, 'select 1').finally(() => {
    answered = true
  })
  await expect(eventually(() => answered, { withinMs: 300 })).rejects.toThrow('stayed false')
  await postgres.resume()
  expect(await query).toHaveLength(1)
})

it('restarts in order while it runs', async () => {
  await postgres.restart()
  expect(await queryOnce(postgres.url, 'select 1')).toHaveLength(1)
})

it('has a standby whose lag the test decides, and which can take over', async () => {
  const database = await postgres.createDatabase()
  await queryOnce(database.url, 'create table notes (body text)')
  const standby = await postgres.startStandby()
  await standby.caughtUp()
  expect(await count(standby)).toBe(0)

  await standby.pauseReplay()
  await queryOnce(database.url, `insert into notes values ('written while the replay was paused')`)
  await received(standby)
  expect(await count(standby)).toBe(0)

  await standby.resumeReplay()
  await standby.caughtUp()
  expect(await count(standby)).toBe(1)

  await expect(queryOnce(standby.urlOf(database), 'delete from notes')).rejects.toThrow('read-only')
  await postgres.kill()
  await standby.promote()
  await queryOnce(standby.urlOf(database), 'delete from notes')
  expect(await count(standby)).toBe(0)
  await standby.stop()
  await postgres.restart()

  async function count({ urlOf }: Standby) {
    const [row] = await queryOnce(urlOf(database), 'select count(*)::int as notes from notes')
    return row?.notes
  }

  /** The standby has the write-ahead log of all that was committed, and just does not apply it. */
  async function received({ url }: Standby) {
    const [primary] = await queryOnce(postgres.url, 'select pg_current_wal_lsn() as at')
    await eventually(async () => {
      const [row] = await queryOnce(url, 'select pg_last_wal_receive_lsn() >= $1::pg_lsn as done', [primary?.at])
      return row?.done === true
    })
  }
})

it('starts several at once', async () => {
  const others = await Promise.all([startPostgres(), startPostgres()])
  expect(new Set([postgres, ...others].map(({ url }) => url)).size).toBe(3)
  for (const { url } of others) expect(await queryOnce(url, 'select 1')).toHaveLength(1)
  await Promise.all(others.map((server) => server.stop()))
})
