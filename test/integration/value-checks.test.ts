import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { findMissingChecks } from '../../src/database/value-checks.ts'
import { countViews } from '../../src/domain/articles/count-views.ts'
import { createMigratedDatabase, queryOnce, type TestDatabase } from '../harness/index.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await createMigratedDatabase()
  await queryOnce(
    database.url,
    `insert into users (username, display_name, email) values ('ada', 'Ada', 'ada@example.com');
     insert into tags (slug, name) values ('cats', 'Cats');
     insert into articles (slug, title, body, author_id) values ('one', 'One', 'Of cats.', 1);
     insert into article_tags values (1, 1)`,
  )
})

afterEach(() => database.drop())

const MAX = '9007199254740991'
const BEYOND = '9007199254740992'

describe('The tables hold', () => {
  it.each([
    [
      'the largest id',
      `update tags set id = ${MAX} where false; insert into tags (id, slug, name) values (${MAX}, 'x', 'X')`,
    ],
    ['the largest counter', 'update article_stats set views = 2147483647, ranked_views = 2147483647'],
    ['the first instant', `update users set created_at = '0001-01-01T00:00:00Z'`],
    [
      'the last instant',
      `update articles set created_at = '9999-12-31T23:59:59.999999Z', status = 'PUBLISHED', published_at = '9999-12-31T23:59:59.999999Z'`,
    ],
  ])('%s', async (_what, text) => {
    await queryOnce(database.url, text)
  })
})

describe('The tables refuse', () => {
  it.each([
    ['tags_id_range', `insert into tags (id, slug, name) values (${BEYOND}, 'x', 'X')`],
    ['tags_id_range', `insert into tags (id, slug, name) values (0, 'x', 'X')`],
    ['users_id_range', `insert into users (id, username, display_name, email) values (-1, 'x', 'X', 'x@example.com')`],
    [
      'users_id_range',
      `select setval('users_id_seq', ${MAX}); insert into users (username, display_name, email) values ('x', 'X', 'x@example.com')`,
    ],
    [
      'articles_id_range',
      `insert into articles (id, slug, title, body, author_id) values (${BEYOND}, 'x', 'X', '', 1)`,
    ],
    ['articles_author_id_range', `set session_replication_role = replica; update articles set author_id = ${BEYOND}`],
    [
      'article_tags_tag_id_range',
      `set session_replication_role = replica; insert into article_tags values (1, ${BEYOND})`,
    ],
    ['article_tags_article_id_range', `set session_replication_role = replica; insert into article_tags values (0, 1)`],
    [
      'article_stats_article_id_range',
      `set session_replication_role = replica; insert into article_stats values (${BEYOND})`,
    ],
    ['article_stats_views_range', 'update article_stats set views = 2147483648'],
    ['article_stats_ranked_views_range', 'update article_stats set ranked_views = -1'],
    ['articles_published_at_range', `update articles set status = 'PUBLISHED', published_at = 'infinity'`],
    ['articles_created_at_range', `update articles set created_at = '-infinity'`],
    ['articles_created_at_range', `update articles set created_at = '10000-01-01T00:00:00Z'`],
    ['articles_created_at_range', `update articles set created_at = '0001-01-01T00:00:00+00:01'`],
    ['users_created_at_range', `update users set created_at = '0044-03-15 12:00:00Z BC'`],
    [
      'articles_updated_at_range',
      `alter table articles disable trigger article_updated; update articles set updated_at = 'infinity'`,
    ],
    ['audit_at_range', `insert into audit (at, role, action) values ('infinity', 'operator', 'x')`],
  ])('what breaks %s: %s', async (constraint, text) => {
    await expect(queryOnce(database.url, text)).rejects.toMatchObject({ constraint })
  })
})

it('counts views up to the largest number of them, and no further', async () => {
  await queryOnce(database.url, 'update article_stats set views = 2147483645')
  for (const views of [2, 5, 1]) {
    await withPrimary(database.url, (db) =>
      db.transaction().execute((transaction) => countViews.apply(transaction, new Map([[1, views]]))),
    )
  }
  expect(await queryOnce(database.url, 'select views::text from article_stats')).toEqual([{ views: '2147483647' }])
})

it('gives an article a version after the largest', async () => {
  await queryOnce(
    database.url,
    'alter table articles disable trigger article_updated; update articles set version = 2147483647',
  )
  await queryOnce(
    database.url,
    `alter table articles enable always trigger article_updated; update articles set title = 'Two'`,
  )
  expect(await queryOnce(database.url, 'select version from articles')).toEqual([{ version: 1 }])
})

describe('An article has its counters', () => {
  const stats = () => queryOnce(database.url, 'select article_id::int as id, views::int from article_stats order by 1')

  beforeEach(async () => {
    await queryOnce(
      database.url,
      `insert into articles (slug, title, body, author_id) values ('two', 'Two', 'Of dogs.', 1);
       update article_stats set views = 7`,
    )
  })

  it.each([
    ['deleted', 'delete from article_stats where article_id = 1', [0, 7]],
    ['deleted and written again', 'delete from article_stats; insert into article_stats values (1, 3, 3)', [3, 0]],
    ['truncated', 'truncate article_stats', [0, 0]],
    ['deleted by a replica', 'set session_replication_role = replica; delete from article_stats', [0, 0]],
  ])('after they were %s', async (_how, text, views) => {
    await queryOnce(database.url, text)
    expect(await stats()).toEqual(views.map((count, index) => ({ id: index + 1, views: count })))
  })

  it.each(['delete from articles where id = 1', 'truncate articles cascade'])(
    'until it goes itself: %s',
    async (text) => {
      await queryOnce(database.url, text)
      expect((await stats()).filter(({ id }) => id === 1)).toEqual([])
    },
  )

  it('after an upgrade, if they had been deleted before', async () => {
    await queryOnce(
      database.url,
      'drop trigger article_stats_kept on article_stats; delete from article_stats where article_id = 1',
    )
    expect(await migrateNow()).toEqual(['trigger article_stats.article_stats_kept'])
    expect(await stats()).toEqual([
      { id: 1, views: 0 },
      { id: 2, views: 7 },
    ])
  })
})

describe('A database from before', () => {
  beforeEach(dropChecks)

  it('whose rows no answer can say is refused, row by row and with their values, and left as it is', async () => {
    await queryOnce(
      database.url,
      `insert into tags (id, slug, name) values (${BEYOND}, 'big', 'Big');
       update articles set created_at = 'infinity';
       update article_stats set views = 3000000000`,
    )
    await expect(migrateNow()).rejects.toThrow(
      `Rows hold values that no answer can say. Nothing was changed in them; change them yourself, then migrate again. tags ${BEYOND}: id is ${BEYOND}; articles 1: created_at is infinity; article_stats 1: views is 3000000000. Ids are 1 to ${MAX}, counters 0 to 2147483647, dates of the years 1 to 9999.`,
    )
    expect(await missing()).toHaveLength(6)
    expect(await queryOnce(database.url, 'select count(*)::int from tags')).toEqual([{ count: 2 }])
    await queryOnce(
      database.url,
      `delete from tags where slug = 'big';
       update articles set created_at = now();
       update article_stats set views = 2147483647`,
    )
    expect(await migrateNow()).toHaveLength(6)
    expect(await migrateNow()).toEqual([])
  })

  it('that has thousands of such rows is told of some', async () => {
    await queryOnce(
      database.url,
      `insert into tags (id, slug, name) select -n, 'tag-' || n, 'Tag' from generate_series(1, 5000) n;
       update articles set created_at = '-infinity', updated_at = now()`,
    )
    await expect(migrateNow()).rejects.toThrow(/tags -\d+: id is -\d+; and more\. Ids are/)
  })

  it('gets its checks while others read and write, all but those of a table that is in use all the while', async () => {
    const writer = new pg.Client(database.url)
    await writer.connect()
    await writer.query(`begin; update users set bio = 'Writes.'`)
    expect(await migrateNow()).toEqual(
      ['tags', 'articles', 'article_tags', 'article_stats', 'audit'].map((table) => `checks of ${table}`),
    )
    expect(await missing()).toEqual(['users'])
    await writer.query('commit')
    await writer.end()
    expect(await migrateNow()).toEqual(['checks of users'])
    expect(await missing()).toEqual([])
  })

  it('gets each check once if several processes start at once', async () => {
    const changed = await Promise.all([migrateNow(), migrateNow(), migrateNow()])
    expect([...new Set(changed.flat())]).toHaveLength(6)
    expect(await missing()).toEqual([])
  })

  it('has its rows looked at again after a process died half-way', async () => {
    await queryOnce(
      database.url,
      `insert into users (id, username, display_name, email) values (0, 'nil', 'Nil', 'nil@example.com');
       alter table users add constraint users_id_range check (id between 1 and ${MAX}) not valid`,
    )
    await expect(migrateNow()).rejects.toThrow('users 0: id is 0.')
    await queryOnce(database.url, 'delete from users where id = 0')
    await migrateNow()
    expect(await missing()).toEqual([])
  })

  it('is left alone by a role that owns nothing in it', async () => {
    const role = `stranger_${database.name}`
    await queryOnce(
      database.url,
      `create role ${role} login; grant usage on schema stet to ${role}; grant select on stet.migration to ${role}`,
    )
    const url = new URL(database.url)
    url.username = role
    expect(await migrateNow(url.href)).toEqual([])
    await queryOnce(database.url, `drop owned by ${role}; drop role ${role}`)
    expect(await missing()).toHaveLength(6)
  })
})

/** As if this version's checks had never been. */
async function dropChecks(): Promise<void> {
  await queryOnce(
    database.url,
    `do $$ declare step text; begin
       for step in select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint where conname ~ '_range$' loop
         execute step;
       end loop;
     end $$`,
  )
}

const missing = (): Promise<readonly string[]> => withPrimary(database.url, (db) => findMissingChecks(db, 'public'))

const migrateNow = (url = database.url): Promise<readonly string[]> => withPrimary(url, (db) => migrate(db))

async function withPrimary<T>(url: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  const pool = createPool({ url, max: 1, statementTimeoutMs: 10_000, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await work(db)
  } finally {
    await db.destroy()
  }
}
