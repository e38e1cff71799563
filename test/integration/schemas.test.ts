import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabases } from '../../src/database/open-databases.ts'
import { runStet } from '../api/run-stet.ts'
import {
  currentToken,
  eventually,
  type PostgresServer,
  queryOnce,
  replicaIs,
  startPostgres,
  startTestNode,
  type TestDatabase,
} from '../harness/index.ts'
import { describeDatabase, readEverything } from '../models/describe-database.ts'
import { migrateAsFirstVersion } from '../models/first-version.ts'

/** The content's tables stand in one schema, whatever the role is called and whatever its search_path. */
let server: PostgresServer
let database: TestDatabase
/** The database's owner, who may create schemas in it, and is no superuser. */
let urlOf: (role: string) => string

beforeAll(async () => {
  server = await startPostgres()
  await queryOnce(
    server.url,
    `create role stet login; create role other login; create role pathless login; alter role pathless set search_path = ''`,
  )
})

afterAll(() => server.stop())

beforeEach(async () => {
  database = await server.createDatabase()
  urlOf = (role) => {
    const url = new URL(database.url)
    url.username = role
    return url.href
  }
})

afterEach(() => database.drop())

const TABLES = ['article_stats', 'article_tags', 'articles', 'tags', 'users']
const ADD_ARTICLE = (schema: string) =>
  `insert into ${schema}.users (username, display_name, email) values ('ann', 'Ann', 'ann@example.com');
   insert into ${schema}.tags (slug, name) values ('cats', 'Cats');
   insert into ${schema}.articles (slug, title, body, author_id) values ('one', 'One', 'Of cats.', 1);
   insert into ${schema}.article_tags values (1, 1)`

describe.each([
  ['a role called stet', 'stet', ''],
  ['a role whose search_path is empty', 'pathless', ''],
  [
    'a database with another schema first in its search_path',
    'other',
    `create schema mine authorization other; alter database %I set search_path = mine, public`,
  ],
])('%s', (_, role, prepare) => {
  it.each(['public', 'content'])(
    'keeps the content in the schema %s, where every reader and writer finds it',
    async (schema) => {
      await queryOnce(
        database.url,
        `alter database ${database.name} owner to ${role}; ${prepare.replace('%I', database.name)}`,
      )
      const databaseUrl = urlOf(role)
      const environment = { DATABASE_SCHEMA: schema }
      const node = await startTestNode({ databaseUrl, environment })
      const title = async () => {
        const { articles } = await node.admin.get<{ articles: { nodes: unknown } }>(
          '{ articles(first: 9) { nodes { title viewCount tags { name } } } }',
          {},
          { 'stet-as-of': await currentToken(databaseUrl) },
        )
        return articles.nodes
      }
      try {
        expect(await placesOf(TABLES)).toEqual(TABLES.map((table) => `${schema}.${table}`))
        // Written by hand, by others, who have no search_path of ours.
        await queryOnce(urlOf('postgres'), `set search_path = ''; ${ADD_ARTICLE(schema)}`)
        await queryOnce(
          urlOf('postgres'),
          `set search_path = pg_temp; update ${schema}.articles set status = 'PUBLISHED', published_at = now()`,
        )
        expect(await title()).toEqual([{ title: 'One', viewCount: 0, tags: [{ name: 'Cats' }] }])
        await queryOnce(databaseUrl, `create temp table articles (id int); update ${schema}.articles set title = 'Two'`)
        expect(await title()).toEqual([{ title: 'Two', viewCount: 0, tags: [{ name: 'Cats' }] }])
        const mutation = `mutation ($input: UpdateTagInput!) { updateTag(input: $input) { tag { name } } }`
        const { tag } = await node.admin.get<{ tag: { id: string } }>('{ tag(slug: "cats") { id } }')
        await node.admin.get(mutation, { input: { id: tag.id, name: 'Felines' } })
        expect(await title()).toEqual([{ title: 'Two', viewCount: 0, tags: [{ name: 'Felines' }] }])
      } finally {
        await node.close()
      }
    },
  )
})

it('is where commands find it, and where a worker does', async () => {
  await queryOnce(database.url, `alter database ${database.name} owner to stet`)
  const environment = { DATABASE_URL: urlOf('stet'), DATABASE_SCHEMA: 'content' }
  expect((await runStet(['seed', '--articles', '3', '--users', '1', '--tags', '1'], environment)).code).toBe(0)
  expect(await placesOf(TABLES)).toEqual(TABLES.map((table) => `content.${table}`))
  const { stdout } = await runStet(['export'], environment)
  expect(stdout.split('\n')).toHaveLength(6)
  const misled = await runStet(['export'], { ...environment, DATABASE_SCHEMA: 'public' })
  expect([misled.code, misled.stderr]).toEqual([
    1,
    "stet: The content's tables stand in the schema content, and DATABASE_SCHEMA says public: set it to where they stand, or move them.\n",
  ])
})

it('is found on a replica', async () => {
  await queryOnce(database.url, `alter database ${database.name} owner to stet`)
  const standby = await server.startStandby()
  const replica = new URL(standby.urlOf(database))
  replica.username = 'stet'
  const databaseUrl = urlOf('stet')
  const node = await startTestNode({
    databaseUrl,
    environment: { DATABASE_SCHEMA: 'content', DATABASE_REPLICA_URL: replica.href },
  })
  try {
    await replicaIs(node, 'well')
    await queryOnce(database.url, ADD_ARTICLE('content'))
    const asOf = await currentToken(databaseUrl)
    await standby.caughtUp()
    expect(await node.visitor.get('{ tag(slug: "cats") { name } }', {}, { 'stet-as-of': asOf })).toEqual({
      tag: { name: 'Cats' },
    })
    const scans = await eventually(async () => {
      const [row] = await queryOnce(
        replica.href,
        `select coalesce(sum(idx_scan + seq_scan), 0)::int as scans from pg_stat_user_tables where relname = 'tags'`,
      )
      expect(row?.scans).toBeGreaterThan(0)
      return row
    })
    expect(scans).toBeDefined()
  } finally {
    await node.close()
    await standby.stop()
  }
})

it('is the same in embedded PostgreSQL', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'stet-schema-'))
  const databases = await openDatabases({
    url: undefined,
    schema: 'content',
    dataDirectory,
    poolMax: 1,
    statementTimeoutMs: 0,
    onError: () => {},
  })
  try {
    await migrate(databases.database.primary, { schema: 'content' })
    await databases.primary.query(ADD_ARTICLE('content'))
    expect((await databases.primary.query('select title from articles')).rows).toEqual([{ title: 'One' }])
  } finally {
    await databases.close()
    rmSync(dataDirectory, { recursive: true })
  }
})

describe('A database in which the first version put the content into the schema stet', () => {
  beforeEach(async () => {
    await queryOnce(database.url, `alter database ${database.name} owner to stet`)
    await migrateAsFirstVersion(urlOf('stet'))
    await queryOnce(urlOf('stet'), ADD_ARTICLE('stet'))
    expect(await placesOf(TABLES)).toEqual(TABLES.map((table) => `stet.${table}`))
  })

  it('has it in public afterwards, with every row, record and trigger, and whatever else was there', async () => {
    await queryOnce(
      urlOf('stet'),
      `create type mood as enum ('good', 'bad');
       create table notes (id serial primary key, article_id bigint references articles, mood mood);
       create sequence numbers; create view titles as select title from articles;
       create function one() returns int language sql as 'select 1';
       select stet.watch('notes', 'id', '{mood}');
       insert into notes (article_id, mood) values (1, 'good')`,
    )
    const before = await readEverything(database.url, 'stet')
    await migrateAs('stet')
    expect(await readEverything(database.url)).toEqual(withMended(before))
    expect(await placesOf([...TABLES, 'notes', 'numbers', 'titles', 'notes_id_seq'])).toEqual(
      [...TABLES, 'notes', 'notes_id_seq', 'numbers', 'titles'].sort().map((table) => `public.${table}`),
    )
    await queryOnce(urlOf('postgres'), `select 'good'::mood, one(), nextval('numbers') from titles`)
    await queryOnce(urlOf('postgres'), `drop view titles; drop sequence numbers; drop function one`)
    await queryOnce(urlOf('postgres'), `insert into notes (article_id, mood) values (1, 'bad')`)
    expect(await queryOnce(database.url, `select tags from stet.pending order by id desc limit 1`)).toEqual([
      { tags: expect.arrayContaining(['notes:2', 'notes:mood=bad']) },
    ])
    await queryOnce(
      database.url,
      `drop table notes; drop type mood; drop function stet.write_${await hashOf('public.notes')}_notes`,
    )
    const fresh = await server.createDatabase()
    await migrateAs('postgres', fresh.url)
    expect(await describeDatabase(database.url)).toEqual(await describeDatabase(fresh.url))
    await fresh.drop()
  })

  it('serves its old nodes on: those that run, and those that start again', async () => {
    const old = new pg.Client(urlOf('stet'))
    await old.connect()
    const read = { name: 'read', text: 'select title from articles' }
    const write = { name: 'write', text: `insert into articles (slug, title, body, author_id) values ($1, $1, '', 1)` }
    await old.query(read)
    await old.query({ ...write, values: ['two'] })
    await migrateAs('stet')
    await old.query({ ...write, values: ['three'] })
    expect((await old.query(read)).rows).toEqual([{ title: 'One' }, { title: 'two' }, { title: 'three' }])
    expect((await old.query('select article_id from article_stats')).rows).toHaveLength(3)
    await old.end()
    expect(await migrateAsFirstVersion(urlOf('stet'))).toEqual([])
    expect(await placesOf(TABLES)).toEqual(TABLES.map((table) => `public.${table}`))
  })

  it('stays as it is if public has a table of one of the names, and says what to do', async () => {
    await queryOnce(database.url, 'create table public.tags (mine int)')
    const before = await readEverything(database.url, 'stet')
    await expect(migrateAs('stet')).rejects.toThrow(
      `The content's tables can't move from the schema stet to public: relation "tags" already exists in schema "public". DATABASE_SCHEMA=stet leaves them there.`,
    )
    expect(await queryOnce(database.url, `select to_regclass('stet.migration') as made`)).toEqual([{ made: null }])
    await migrateAs('stet', database.url, 'stet')
    expect(await readEverything(database.url, 'stet')).toEqual(withMended(before))
    expect(await migrateAs('stet', database.url, 'stet')).toEqual([])
  })
})

it('moves out of the schema stet later, too, and every trigger finds it there', async () => {
  await queryOnce(database.url, `alter database ${database.name} owner to stet`)
  await migrateAs('stet', database.url, 'stet')
  await queryOnce(urlOf('stet'), ADD_ARTICLE('stet'))
  await migrateAs('stet')
  await queryOnce(
    urlOf('stet'),
    `set search_path = ''; insert into public.articles (slug, title, body, author_id) values ('two', 'Two', '', 1);
    update public.articles set status = 'PUBLISHED', published_at = now()`,
  )
  expect(await queryOnce(database.url, 'select article_id from article_stats order by 1')).toEqual([
    { article_id: '1' },
    { article_id: '2' },
  ])
})

it('is asked for if an earlier version put the content into a schema that somebody chose', async () => {
  await queryOnce(database.url, `create schema mine; alter database ${database.name} set search_path = mine, public`)
  await migrateAsFirstVersion(database.url)
  await expect(migrateAs('postgres')).rejects.toThrow(
    `The content's tables stand in the schema mine, and DATABASE_SCHEMA says public: set it to where they stand, or move them.`,
  )
  expect(await migrateAs('postgres', database.url, 'mine')).toEqual([
    expect.stringMatching(/^log-/),
    '0008_search_path',
    '0009_audit',
    '0010_definers',
    '0011_triggers',
    '0012_versions',
    '0013_search_forms',
    '0014_stats',
    'trigger article_stats.article_stats_kept',
    'trigger article_stats.article_stats_loaded',
    'trigger articles.article_updated',
    'trigger articles.articles_have_stats',
    'trigger articles.articles_touch_tags',
    ...['users', 'tags', 'articles', 'article_tags', 'article_stats', 'audit'].map((table) => `checks of ${table}`),
  ])
})

async function migrateAs(role: string, url = database.url, schema = 'public'): Promise<readonly string[]> {
  const as = new URL(url)
  as.username = role
  const databases = await openDatabases({
    url: as.href,
    schema,
    dataDirectory: '',
    poolMax: 1,
    statementTimeoutMs: 10_000,
    onError: () => {},
  })
  try {
    return await migrate(databases.database.primary, { schema })
  } finally {
    await databases.close()
  }
}

/** What else is there once triggers are mended that the first version had not made `always`. */
const withMended = (before: Readonly<Record<string, unknown>>) => ({
  ...before,
  pending: [
    ...(before.pending as unknown[]),
    expect.objectContaining({ tags: ['article_stats', 'article_tags', 'articles'] }),
  ],
})

/** Each relation of these names, with its schema. */
async function placesOf(names: readonly string[]): Promise<unknown[]> {
  const rows = await queryOnce(
    database.url,
    `select relnamespace::regnamespace || '.' || relname as place from pg_class where relname = any($1) and relnamespace <> 'pg_catalog'::regnamespace order by relname`,
    [names],
  )
  return rows.map(({ place }) => place)
}

async function hashOf(table: string): Promise<string> {
  const [row] = await queryOnce(database.url, 'select left(md5($1), 8) as hash', [table])
  return String(row?.hash)
}
