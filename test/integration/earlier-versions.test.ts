import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { migrate } from '../../src/database/migrate.ts'
import { createPool } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { installStet, Log } from '../../src/invalidation/index.ts'
import { createTestDatabase, currentToken, queryOnce, startTestNode, type TestDatabase } from '../harness/index.ts'
import { describeDatabase, readEverything } from '../models/describe-database.ts'
import { FIRST_VERSION, migrateAsFirstVersion } from '../models/first-version.ts'

let database: TestDatabase
/** Nothing that a test waits for in vain may take longer than this. */
const statementTimeoutMs = 5000

beforeEach(async () => {
  database = await createTestDatabase()
})

afterEach(() => database.drop())

const LOG = expect.stringMatching(/^log-[0-9a-f]{12}$/)

describe('A database of the first version', () => {
  beforeEach(async () => {
    expect(await migrateAsFirstVersion(database.url)).toHaveLength(FIRST_VERSION)
    await fill()
  })

  it('is taken over with every row, position, record, epoch and trigger, once', async () => {
    const before = await readEverything(database.url)
    expect(before).toMatchObject({ log: [{ position: 1 }, { position: 2 }, { position: 3 }], pending: [{}, {}] })
    expect(await migrateNow()).toEqual(TAKEN_OVER)
    const after = { ...before, pending: [...(before.pending as unknown[]), expect.objectContaining({ tags: FALLEN })] }
    expect(await readEverything(database.url)).toEqual(after)
    expect(await describeDatabase(database.url)).toEqual(await describeFreshDatabase())

    await queryOnce(database.url, 'drop table stet_migration, stet_migration_lock')
    expect(await migrateNow()).toEqual([])
    expect(await readEverything(database.url)).toEqual(after)
  })

  it('goes on from its positions: what waited is numbered, and each write falls under its tags', async () => {
    await migrateNow()
    await queryOnce(database.url, `update articles set title = 'Newer' where slug = 'two'`)
    expect(await recordsFrom(3)).toEqual([
      [3, expect.arrayContaining(['articles:1', 'articles:title'])],
      [4, expect.arrayContaining(['users:2'])],
      [5, ['by hand']],
      [6, FALLEN],
      [7, expect.arrayContaining(['articles:2', 'articles:title', 'articles:any'])],
    ])
    await queryOnce(
      database.url,
      `insert into articles (slug, title, body, author_id) values ('three', 'Three', 'Of cats.', 1);
       update articles set status = 'PUBLISHED', published_at = now() where slug = 'one'`,
    )
    expect(await recordsFrom(8)).toEqual(
      expect.arrayContaining([
        [expect.any(Number), expect.arrayContaining(['articles:3', 'articles:author_id=1'])],
        [expect.any(Number), expect.arrayContaining(['article_stats:3'])],
        [expect.any(Number), expect.arrayContaining(['article_tags:tag_id=1'])],
      ]),
    )
  })

  it('is served by nodes that know tokens from before', async () => {
    const token = await currentToken(database.url)
    const node = await startTestNode({ databaseUrl: database.url })
    const read = (asOf: string) => node.visitor.get('{ tag(slug: "cats") { name } }', {}, { 'stet-as-of': asOf })
    try {
      expect(await read(token)).toEqual({ tag: { name: 'Cats' } })
      await queryOnce(database.url, `update tags set name = 'Felines' where slug = 'cats'`)
      expect(await read(await currentToken(database.url))).toEqual({ tag: { name: 'Felines' } })
    } finally {
      await node.close()
    }
  })

  it('is taken over once by two nodes that start at once', async () => {
    const before = await readEverything(database.url)
    const applied = await Promise.all([migrateNow(), migrateNow()])
    // Either of them may be the one that mends the triggers and adds the checks.
    expect(applied.flat()).toHaveLength(TAKEN_OVER.length)
    expect(applied.flat()).toEqual(expect.arrayContaining(TAKEN_OVER))
    const { pending, ...rest } = await readEverything(database.url)
    expect({ ...rest, pending: (pending as unknown[]).slice(0, 2) }).toEqual(before)
    expect(pending).toHaveLength(3)
  })

  it('serves its old nodes on: those that run, in the middle of a write, and those that start again', async () => {
    const old = new pg.Client(database.url)
    await old.connect()
    const write = { name: 'write', text: 'update articles set title = $1 where id = 2' }
    const sequence = { name: 'sequence', text: 'select tip, sequenced, records from stet.sequence()' }
    const read = { name: 'read', text: 'select position, unsettled, epoch from stet.as_of' }
    await old.query({ ...write, values: ['Compiled'] })
    await old.query(sequence)
    const { rows: before } = await old.query(read)
    await old.query('begin')
    await old.query({ ...write, values: ['Under way'] })

    await migrateNow()

    await old.query('commit')
    expect((await old.query(sequence)).rows).toMatchObject([{ sequenced: '1' }])
    await old.query({ ...write, values: ['Afterwards'] })
    expect((await old.query(sequence)).rows).toMatchObject([
      { sequenced: '1', records: [expect.anything(), [8, expect.arrayContaining(['articles:2']), expect.anything()]] },
    ])
    expect((await old.query(read)).rows).toEqual([{ ...before[0], position: '8' }])
    await old.end()
    expect(await migrateAsFirstVersion(database.url)).toEqual([])
    // While it wrote, the tables that it used were left as they were.
    expect(await migrateNow()).toEqual([...MENDED.slice(2), 'checks of articles', 'checks of article_tags'])
  })
})

it.each([1, 2, 3, 4, 5, 6])('takes over a database that has only the first %i migrations', async (count) => {
  await migrateAsFirstVersion(database.url, count)
  await queryOnce(database.url, `select stet.touch('one')`)
  await queryOnce(database.url, 'select stet.sequence()')
  await queryOnce(database.url, `select stet.touch('two')`)
  const applied = await migrateNow()
  const mended = count > 1 ? MENDED : []
  const checked = count > 1 ? CHECKED : []
  expect(applied).toEqual([LOG, ...CONTENT.filter((name) => Number(name.slice(0, 4)) > count), ...mended, ...checked])
  expect(await recordsFrom(1)).toEqual([
    [1, ['one']],
    // Records from before that said which epoch they are of are not known to belong to this one.
    ...((await recordsFrom(2)).some((record) => String(record).endsWith('stet:epoch')) ? [[2, ['stet:epoch']]] : []),
    [expect.any(Number), ['two']],
    ...mended.slice(0, 1).map(() => [expect.any(Number), FALLEN]),
  ])
  expect(await describeDatabase(database.url)).toEqual(await describeFreshDatabase())
  expect(await migrateNow()).toEqual([])
})

describe('A database that is up to date', () => {
  beforeEach(async () => {
    expect(await migrateNow()).toEqual([LOG, ...CONTENT])
  })

  it('is left alone: a start waits for nobody who reads or writes', async () => {
    const busy = new pg.Client(database.url)
    await busy.connect()
    await busy.query(
      `begin; select from stet.as_of; select from articles; select stet.touch('busy'); select stet.sequence()`,
    )
    expect(await migrateNow()).toEqual([])
    await installOn(database.url)
    await busy.end()
  })

  it('is left alone by a role that may change nothing in it', async () => {
    const role = `reader_${database.name}`
    await queryOnce(
      database.url,
      `create role ${role} login; grant usage on schema stet to ${role}; grant select on stet.migration to ${role}`,
    )
    const url = new URL(database.url)
    url.username = role
    expect(await migrateNow(url.href)).toEqual([])
    await queryOnce(database.url, `drop owned by ${role}; drop role ${role}`)
  })

  it('keeps what a newer version brought when an older one starts again', async () => {
    const newer = `create or replace function stet.microseconds(instant timestamptz) returns bigint language sql immutable as 'select 7::bigint'`
    await queryOnce(database.url, `${newer}; insert into stet.migration values ('log-newer'), ('0009_newer')`)
    expect(await migrateNow()).toEqual([])
    await installOn(database.url)
    expect(await queryOnce(database.url, 'select stet.microseconds(now()) as is')).toEqual([{ is: '7' }])
  })
})

it('installs the log alone for another API, which several of its processes may do at once', async () => {
  await Promise.all(Array.from({ length: 4 }, () => installOn(database.url)))
  expect(await queryOnce(database.url, 'select name from stet.migration')).toEqual([{ name: LOG }])
  expect(await queryOnce(database.url, `select to_regclass('users') as content`)).toEqual([{ content: null }])
})

it('brings a log up to date that an earlier version installed for another API', async () => {
  await migrateAsFirstVersion(database.url, 1)
  await queryOnce(database.url, `drop table stet_migration, stet_migration_lock; select stet.touch('one')`)
  await installOn(database.url)
  expect(await recordsFrom(1)).toEqual([[1, ['one']]])
  expect(await describeDatabase(database.url)).toEqual(await describeFreshDatabase(installOn))
})

const CONTENT = [
  '0002_content',
  '0003_views',
  '0007_search_words',
  '0008_search_path',
  '0009_audit',
  '0010_definers',
  '0011_triggers',
  '0012_versions',
  '0013_search_forms',
  '0014_stats',
]
/** Two that the first version did not have, those that it had not made `always`, and what may have been read wrongly because of that. */
const MENDED = [
  'trigger article_stats.article_stats_kept',
  'trigger article_stats.article_stats_loaded',
  'trigger articles.article_updated',
  'trigger articles.articles_have_stats',
  'trigger articles.articles_touch_tags',
]
const FALLEN = ['article_stats', 'article_tags', 'articles']
/** The tables whose values the first version did not check. */
const CHECKED = ['users', 'tags', 'articles', 'article_tags', 'article_stats', 'audit'].map(
  (table) => `checks of ${table}`,
)
const TAKEN_OVER = [LOG, ...CONTENT.slice(3), ...MENDED, ...CHECKED]

/** Of everything some: positions 1 to 3, and two changes that have none yet. */
async function fill(): Promise<void> {
  const steps = [
    `insert into users (username, display_name, email) values ('ann', 'Ann', 'a@example.com'), ('bob', 'Bob', 'b@example.com')`,
    `insert into tags (slug, name) values ('cats', 'Cats')`,
  ]
  await queryOnce(
    database.url,
    `begin; ${steps.join(';')};
     insert into articles (slug, title, body, author_id) values ('one', 'One', 'Of cats.', 1), ('two', 'Two', 'Of dogs.', 2);
     insert into article_tags values (1, 1);
     update article_stats set views = 7 where article_id = 1;
     insert into stet.applied (queue, stream, last_id) values ('views', 'first', '5-0');
     insert into stet.job values ('rank', now());
     delete from stet.pending; select stet.touch('filled'); commit`,
  )
  await queryOnce(database.url, 'select stet.sequence()')
  await queryOnce(database.url, `select stet.touch('touched')`)
  await queryOnce(database.url, 'select stet.sequence()')
  await queryOnce(database.url, `update articles set title = 'First' where slug = 'one'`)
  await queryOnce(database.url, 'select stet.sequence()')
  await queryOnce(database.url, `update users set bio = 'New.' where id = 2`)
  await queryOnce(database.url, `select stet.touch('by hand')`)
}

async function migrateNow(url = database.url): Promise<readonly string[]> {
  const pool = createPool({ url, max: 1, statementTimeoutMs, onError: () => {} })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  try {
    return await migrate(db)
  } finally {
    await db.destroy()
  }
}

async function installOn(url: string): Promise<void> {
  const pool = createPool({ url, max: 1, statementTimeoutMs, onError: () => {} })
  try {
    await installStet(pool)
  } finally {
    await pool.end()
  }
}

async function recordsFrom(position: number): Promise<unknown[]> {
  const pool = createPool({ url: database.url, max: 1, statementTimeoutMs, onError: () => {} })
  try {
    const log = new Log(pool)
    await log.sequence()
    return (await log.recordsFrom(position, 100)).map((record) => [record.position, record.tags])
  } finally {
    await pool.end()
  }
}

async function describeFreshDatabase(make: (url: string) => Promise<unknown> = migrateNow): Promise<readonly string[]> {
  const fresh = await createTestDatabase()
  try {
    await make(fresh.url)
    return await describeDatabase(fresh.url)
  } finally {
    await fresh.drop()
  }
}
