import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Kysely, PostgresDialect } from 'kysely'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { createTestDatabase, queryOnce, type TestDatabase } from '../harness/index.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createTestDatabase()
  const pool = createPool({ url: database.url, max: 1, statementTimeoutMs: 0, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  await migrate(db)
  await db.destroy()
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
    `select id from articles where search <> setweight(to_tsvector('english', title), 'A')
       || setweight(to_tsvector('english', summary), 'B')
       || setweight(to_tsvector('english', left(body, 100000)), 'C')`,
  )

it.each([
  ['nothing', 'id = id'],
  ['the status', `status = 'PUBLISHED', published_at = now()`],
  ['the title', `title = 'Of cats and ' || id`],
  ['the summary', `summary = ''`],
  ['the body', `body = 'Wholly another one ' || id`],
  ['all of them', `title = 'Three', summary = 'Four ' || id, body = 'Five'`],
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
