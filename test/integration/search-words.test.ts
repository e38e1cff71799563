import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Kysely, PostgresDialect } from 'kysely'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { createMigratedDatabase, queryOnce, type TestDatabase } from '../harness/index.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createMigratedDatabase()
  await queryOnce(
    database.url,
    `insert into users (username, display_name, email) values ('ada', 'Ada', 'ada@example.com');
     insert into articles (slug, title, summary, body, author_id)
     select 'a' || n, 'Title ' || n, 'In short ' || n, 'Long and wide ' || n, 1 from generate_series(1, 3) n`,
  )
})

afterEach(() => database.drop())

/** Articles whose words aren't those that they would have if all were worked out anew. */
const wrong = () =>
  queryOnce(
    database.url,
    `select id from articles where search <> setweight(to_tsvector('english', normalize(title, nfkc)), 'A')
       || setweight(to_tsvector('english', normalize(summary, nfkc)), 'B')
       || setweight(to_tsvector('english', left(normalize(left(body, 100000), nfkc), 100000)), 'C')`,
  )

it.each([
  ['nothing', 'id = id'],
  ['the status', `status = 'PUBLISHED', published_at = now()`],
  ['the title', `title = 'Of cats and ' || id`],
  ['the summary', `summary = ''`],
  ['the body', `body = 'Wholly another one ' || id`],
  ['all of them', `title = 'Three', summary = 'Four ' || id, body = 'Five'`],
  ['composed letters', `title = U&'cafe\\0301', summary = U&'\\FB01ne', body = U&'\\FF37ide'`],
  ['a longer form', `title = repeat(U&'\\FDFA', 300), body = repeat(U&'\\FDFA ', 50000)`],
  ['the words alone', 'title = title, search = null, body_words = null'],
])('an article has its own words once %s was written', async (_, set) => {
  await queryOnce(database.url, `update articles set ${set}`)
  expect(await wrong()).toEqual([])
})

it('an article has its own words where somebody writes without triggers', async () => {
  await queryOnce(
    database.url,
    `set session_replication_role = replica;
     update articles set title = 'Mice', body = 'And men';
     insert into articles (slug, title, body, author_id) values ('new', 'Birds', 'And bees', 1)`,
  )
  expect(await wrong()).toEqual([])
})

it('articles from before get the words of every form, keep versions and dates, and fall; others stay as they are', async () => {
  const [, earlier = ''] =
    /(function articles_words[\s\S]*?\$\$;)/.exec(await readFile('migrations/0007_search_words.sql', 'utf8')) ?? []
  await queryOnce(
    database.url,
    `create or replace ${earlier};
     update articles set title = U&'Cafe\\0301' where id = 1;
     update articles set body = U&'\\FB01ne' where id = 2;
     delete from stet.migration where name = '0013_search_forms';
     select * from stet.sequence()`,
  )
  const rows = 'select id, version, updated_at, title, summary, body, xmin::text from articles order by id'
  const before = await queryOnce(database.url, rows)
  expect(await wrong()).toEqual([{ id: '1' }, { id: '2' }])
  expect(await migrateNow()).toEqual(['0013_search_forms'])
  expect(await wrong()).toEqual([])
  const after = await queryOnce(database.url, rows)
  const withoutXmin = (found: readonly object[]) => found.map((row) => ({ ...row, xmin: undefined }))
  expect(withoutXmin(after)).toEqual(withoutXmin(before))
  expect(after[2]).toEqual(before[2])
  const [{ tags } = { tags: [] }] = await queryOnce(database.url, 'select tags from stet.pending')
  expect(tags).toEqual(expect.arrayContaining(['articles:1', 'articles:2', 'articles:search']))
  expect(tags).not.toContain('articles:3')
  await queryOnce(database.url, `update articles set title = 'New' where id = 3`)
  expect(await queryOnce(database.url, 'select version from articles where id = 3')).toEqual([{ version: 2 }])
})

async function migrateNow(): Promise<readonly string[]> {
  const pool = createPool({ url: database.url, max: 1, statementTimeoutMs: 0, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await migrate(db)
  } finally {
    await db.destroy()
  }
}
