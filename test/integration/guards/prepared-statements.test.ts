import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createPool, type Pool } from '../../../src/database/pool.ts'
import { createTestDatabase, queryOnce, type TestDatabase } from '../../harness/index.ts'

let database: TestDatabase
let pool: Pool

beforeEach(async () => {
  database = await createTestDatabase()
  await queryOnce(database.url, 'create table notes (id int primary key, size int); insert into notes values (1, 7)')
  pool = createPool({ url: database.url, max: 1, statementTimeoutMs: 5000, onError: () => {} })
})

afterEach(async () => {
  await pool.end()
  await database.drop()
})

const READ = 'select size from notes where id = $1'

/** As Kysely asks: over a connection of its own. */
async function ask(text: string, values: unknown[]): Promise<unknown[]> {
  const client = await pool.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    client.release()
  }
}

const prepared = () => ask('select statement from pg_prepared_statements', [])

it('has the server keep what is sent again and again', async () => {
  for (let time = 0; time < 5; time++) expect(await ask(READ, [1])).toEqual([{ size: 7 }])
  expect(await prepared()).toEqual([{ statement: READ }])
})

it('goes on where a migration has changed what a kept statement brings', async () => {
  for (let time = 0; time < 5; time++) await ask(READ, [1])
  await queryOnce(database.url, 'alter table notes alter size type text')
  for (let time = 0; time < 5; time++) expect(await ask(READ, [1])).toEqual([{ size: '7' }])
})

it('says why a transaction failed that met such a statement, and then goes on', async () => {
  for (let time = 0; time < 5; time++) await ask(READ, [1])
  await queryOnce(database.url, 'alter table notes alter size type text')
  const client = await pool.connect()
  await client.query('begin')
  await expect(client.query(READ, [1])).rejects.toThrow('cached plan must not change result type')
  await client.query('rollback')
  client.release()
  expect(await ask(READ, [1])).toEqual([{ size: '7' }])
})
