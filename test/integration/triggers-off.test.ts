import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { findTriggersOff, mendTriggers } from '../../src/invalidation/index.ts'
import { runStet } from '../api/run-stet.ts'
import { findOnPath, findPostgresBinaries } from '../harness/find-binaries.ts'
import {
  createMigratedDatabase,
  eventually,
  queryOnce,
  readMetric,
  startTestNode,
  type TestDatabase,
  type TestNode,
} from '../harness/index.ts'

/** Triggers that are off: found, told, borne, and mended, after which nothing stands that was read meanwhile. */
let database: TestDatabase
let node: TestNode
let pool: pg.Pool

beforeEach(async () => {
  database = await createMigratedDatabase()
  node = await startTestNode({ databaseUrl: database.url, environment: { LOG_BEAT_MS: '50' } })
  pool = new pg.Pool({ connectionString: database.url, max: 4 })
  pool.on('error', () => {})
  await sql(`
    insert into users (username, display_name, email) values ('ann', 'Ann', 'ann@example.com');
    insert into tags (slug, name) values ('cats', 'Cats');
    insert into articles (slug, title, body, author_id, status, published_at)
      values ('one', 'One', 'Of cats.', 1, 'PUBLISHED', now()), ('two', 'Two', 'Of dogs.', 1, 'PUBLISHED', now());
    insert into article_tags values (1, 1), (2, 1)`)
  await node.catchUp()
})

afterEach(async () => {
  await node.close()
  await pool.end()
  await database.drop()
})

describe.each([
  ['disabled', 'alter table articles disable trigger stet_update', 'stet_update disabled'],
  ['all disabled', 'alter table articles disable trigger user', 'stet_update disabled'],
  ['left on, but not always', 'alter table articles enable trigger stet_update', 'stet_update not always'],
  ['dropped', 'drop trigger stet_update on articles', 'stet_update absent'],
  [
    'replaced by one that does nothing',
    `create function idle() returns trigger language plpgsql as $$ begin return null; end $$;
     create or replace trigger stet_update after update on articles for each statement execute function idle();
     alter table articles enable always trigger stet_update`,
    'stet_update altered',
  ],
])('a trigger that is %s', (_, turnOff, state) => {
  it('is told of, and once it is mended nothing stands that was read meanwhile', async () => {
    expect(await titles()).toEqual(['One', 'Two'])
    await sql(turnOff)
    await sql(`set session_replication_role = replica; update articles set title = 'Unlogged' where id = 1`)
    expect(await states()).toContain(state)

    const ran = await runStet(['migrate'], { DATABASE_URL: database.url })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('trigger articles.stet_update') })
    expect(await states()).toEqual([])
    await node.catchUp()
    expect(await titles()).toEqual(['Unlogged', 'Two'])
    await sql(`update articles set title = 'Logged' where id = 1`)
    await node.catchUp()
    expect(await titles()).toEqual(['Logged', 'Two'])
  })
})

it('does afterwards what triggers of the content should have done: articles have counters, and their tags lists', async () => {
  const read = () =>
    node.visitor.get(
      '{ articles(orderBy: MOST_VIEWED) { totalCount nodes { title } } tag(slug: "cats") { articleCount } }',
    )
  expect(await read()).toMatchObject({ articles: { totalCount: 2 }, tag: { articleCount: 2 } })
  await sql('alter table articles disable trigger user')
  await sql(`insert into articles (slug, title, body, author_id, status, published_at, search, body_words)
               values ('three', 'Three', 'Of hens.', 1, 'PUBLISHED', now(), '', '')`)
  await sql(`update articles set status = 'DRAFT', published_at = null where id = 2`)
  await mendTriggers(pool)
  await node.catchUp()
  expect(await read()).toMatchObject({
    articles: { totalCount: 2, nodes: expect.arrayContaining([{ title: 'Three' }]) },
    tag: { articleCount: 1 },
  })
})

it('is left off by `pg_restore --disable-triggers`, and mended', async () => {
  const programs = findOnPath('pg_dump') && findOnPath('pg_restore') ? '' : findPostgresBinaries()
  if (programs === undefined) return
  const run = (program: string, ...args: string[]) => execFileSync(join(programs, program), args, { input: dump })
  let dump: Buffer | undefined
  dump = run('pg_dump', '--format=custom', '--data-only', '--table=articles', database.url)
  await sql('delete from articles')
  await node.catchUp()
  expect(await titles()).toEqual([])
  run('pg_restore', '--disable-triggers', '--data-only', `--dbname=${database.url}`)
  expect(await states()).toContain('stet_insert not always')
  await mendTriggers(pool)
  await node.catchUp()
  expect(await titles()).toEqual(['One', 'Two'])
})

describe('a node', () => {
  it('says so from its start, and then within seconds; answers are marked, and are wrong for no longer', async () => {
    await sql('alter table articles disable trigger stet_update')
    // Its role owns no table, so it can't mend anything.
    const [role, other] = [`node_${database.name}`, new URL(database.url)]
    other.username = role
    await sql(
      `create role ${role} login in role pg_read_all_data, pg_write_all_data; grant usage on schema stet, public to ${role}`,
    )
    const humble = await startTestNode({ databaseUrl: other.href, environment: { LOG_BEAT_MS: '50' } })
    try {
      expect(await ready(humble)).toMatch(/^triggers: failing$/m)
      expect(await readMetric(humble.url, 'stet_triggers_off')).toBe(1)
      await eventually(async () => (await ask(humble)).word === 'STALE')
      await sql(`update articles set title = 'Unlogged' where id = 1`)
      await eventually(async () => (await ask(humble)).title === 'Unlogged', { withinMs: 20_000 })
      // The node that was there before has found out, too.
      await eventually(async () => (await ready(node)).includes('triggers: failing'), { withinMs: 20_000 })
      expect(await readMetric(node.url, 'stet_triggers_off')).toBe(1)

      await sql(`update articles set title = 'Unlogged as well' where id = 1`)
      await sql('alter table articles enable always trigger stet_update')
      for (const each of [humble, node]) {
        await eventually(async () => (await ready(each)).includes('triggers: ok'), { withinMs: 20_000 })
        await each.catchUp()
        await ask(each)
        expect(await ask(each)).toEqual({ word: 'HIT', title: 'Unlogged as well' })
      }
    } finally {
      await humble.close()
      await sql(`drop owned by ${role}; drop role ${role}`)
    }
  })

  it('mends what it owns when it starts', async () => {
    await sql('alter table articles disable trigger stet_update')
    const owner = await startTestNode({ databaseUrl: database.url })
    try {
      expect(await ready(owner)).toMatch(/^triggers: ok$/m)
      expect(await states()).toEqual([])
    } finally {
      await owner.close()
    }
  })
})

describe('mending', () => {
  it('waits for no open write, keeps no other writer waiting for long, and says what it left', async () => {
    await sql('alter table articles disable trigger stet_delete; alter table tags disable trigger stet_delete')
    const writer = await pool.connect()
    await writer.query(`begin; update articles set title = 'Under way' where id = 1`)
    const mending = runStet(['migrate'], { DATABASE_URL: database.url })
    let written = 0
    while (await Promise.race([mending.then(() => false), sql(`update articles set title = 'x' where id = 2`)]))
      written++
    expect(await mending).toMatchObject({ code: 1, stderr: expect.stringContaining('articles.stet_delete (disabled)') })
    expect(written).toBeGreaterThan(3)
    await writer.query('commit')
    writer.release()
    expect(await states()).toEqual(['stet_delete disabled'])
    expect(await mendTriggers(pool)).toMatchObject([{ table: 'articles', trigger: 'stet_delete', state: 'disabled' }])
  })
})

const sql = (text: string) => queryOnce(database.url, text)

async function states(): Promise<string[]> {
  return (await findTriggersOff(pool)).map(({ trigger, state }) => `${trigger} ${state}`)
}

async function titles(): Promise<string[]> {
  const { articles } = await node.visitor.get<{ articles: { nodes: { title: string }[] } }>(
    '{ articles(orderBy: TITLE) { nodes { title } } }',
  )
  return articles.nodes.map(({ title }) => title).sort((a, b) => Number(a === 'Two') - Number(b === 'Two'))
}

const ready = async ({ url }: TestNode): Promise<string> => (await fetch(`${url}/readyz`)).text()

async function ask({ url }: TestNode): Promise<{ word: string | null; title: string | undefined }> {
  const query = '{ article(slug: "one") { title } }'
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`)
  const { data } = (await response.json()) as { data: { article: { title: string } | null } }
  return { word: response.headers.get('x-cache'), title: data.article?.title }
}
