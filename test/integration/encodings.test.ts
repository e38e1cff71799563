import { expect, it } from '@jest/globals'
import { Kysely, PostgresDialect } from 'kysely'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { createTestDatabase, queryOnce } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'

const { url: beside } = await useDatabase()

it.each(['SQL_ASCII', 'LATIN1', 'WIN1252', 'EUC_JP'])(
  'refuses a database in %s, says what to do, and leaves it as it is',
  async (encoding) => {
    const { name, url } = use(await createTestDatabase(), (it) => it.drop())
    await queryOnce(beside, `drop database ${name} with (force)`)
    await queryOnce(
      beside,
      `create database ${name} encoding '${encoding}' template template0 lc_collate 'C' lc_ctype 'C'`,
    )
    await expect(migrateOnce(url)).rejects.toThrow(
      `The database ${name} has the encoding ${encoding}, which can't hold every text: make one with "create database`,
    )
    expect(await queryOnce(url, `select nspname from pg_namespace where nspname = 'stet'`)).toEqual([])
    await queryOnce(beside, `drop database ${name} with (force)`)
    await queryOnce(beside, `create database ${name} encoding 'UTF8' template template0 lc_collate 'C' lc_ctype 'C'`)
    expect(await migrateOnce(url)).toContain('0002_content')
  },
)

async function migrateOnce(url: string): Promise<readonly string[]> {
  const pool = createPool({ url, max: 1, statementTimeoutMs: 10_000, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await migrate(db)
  } finally {
    await db.destroy()
  }
}
