import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createStetDatabase } from '../../test/models/stet-database.ts'
import { TriggerWatch } from './trigger-watch.ts'
import { findTriggersOff, mendTriggers } from './triggers.ts'

let database: Awaited<ReturnType<typeof createStetDatabase>>

beforeEach(async () => {
  database = await createStetDatabase()
})

afterEach(() => database.drop())

const sql = async (text: string) => (await database.pool.query(text)).rows
const states = async () => (await findTriggersOff(database.pool)).map(({ trigger, state }) => `${trigger} ${state}`)
/** What was appended to the log since this was asked last. */
const appended = async () => {
  const rows = await sql('with gone as (delete from stet.pending returning id, tags) select tags from gone order by id')
  return rows.map(({ tags }) => tags)
}

describe('mendTriggers', () => {
  it('locks nothing if all are on: it waits for nobody who writes', async () => {
    const writer = await database.pool.connect()
    await writer.query('begin; insert into articles values (1, 1)')
    expect(await mendTriggers(database.pool)).toEqual([])
    await writer.query('rollback')
    writer.release()
  })

  it('mends one table while another is written all the while, and that one afterwards', async () => {
    await sql(`create table notes (id int primary key); select stet.watch('notes', 'id');
      alter table notes disable trigger stet_delete; alter table articles disable trigger stet_delete`)
    const writer = await database.pool.connect()
    await writer.query('begin; insert into articles values (1, 1)')
    expect(await mendTriggers(database.pool)).toMatchObject([
      { table: 'notes', trigger: 'stet_delete', state: 'disabled' },
    ])
    expect(await appended()).toEqual([['notes']])
    await writer.query('commit')
    writer.release()
    expect(await mendTriggers(database.pool)).toMatchObject([{ table: 'articles' }])
    expect(await appended()).toEqual([expect.arrayContaining(['articles:1']), ['articles']])
  })

  it('mends once, and lets a table fall once, if several do so at once', async () => {
    await sql('alter table articles disable trigger user')
    const mended = await Promise.all([1, 2, 3].map(() => mendTriggers(database.pool)))
    expect(mended.flat()).toHaveLength(4)
    expect(await appended()).toEqual([['articles']])
  })

  it('is refused to a role that owns nothing, which is no error', async () => {
    const role = `reader_${new URL(database.url).pathname.slice(1)}`
    await sql(
      `alter table articles disable trigger stet_update; create role ${role}; grant usage on schema stet to ${role}`,
    )
    const client = await database.pool.connect()
    await client.query(`set role ${role}`)
    expect(await findTriggersOff(client)).toMatchObject([{ trigger: 'stet_update' }])
    expect(await mendTriggers(client)).toEqual([])
    await client.query('reset role')
    client.release()
    await sql(`drop owned by ${role}; drop role ${role}`)
  })

  it('sees to partitions that were attached without triggers, under the name of their table', async () => {
    await sql(`create table events (id int, month int, primary key (id, month)) partition by list (month);
      create table events_1 partition of events for values in (1);
      create table events_2 (id int not null, month int not null);
      select stet.watch('events', 'id', '{month}')`)
    expect(await states()).toEqual([])
    await sql('alter table events attach partition events_2 for values in (2)')
    expect(await findTriggersOff(database.pool)).toEqual(
      ['delete', 'insert', 'truncate', 'update'].map((name) => ({
        table: 'events_2',
        trigger: `stet_${name}`,
        state: 'absent',
        tags: ['events'],
      })),
    )
    expect(await mendTriggers(database.pool)).toHaveLength(4)
    await sql('insert into events_2 values (7, 2)')
    expect(await appended()).toEqual([['events'], expect.arrayContaining(['events:7', 'events:month=2'])])
  })

  it('leaves a table alone that is watched by itself and as the child of another', async () => {
    await sql(`create table reviews (stars int) inherits (articles); select stet.watch('reviews', null, '{stars}')`)
    await sql(`select stet.watch('articles', 'id', '{author_id}')`)
    expect(await states()).toEqual([])
    await sql('insert into reviews values (1, 7, 5)')
    expect(await appended()).toEqual([expect.arrayContaining(['articles:author_id=7'])])
  })
})

it('knows a table that was dropped and made again, and one that is no longer watched', async () => {
  await sql(`create table notes (id int primary key); select stet.watch('notes', 'id'); drop table notes`)
  expect(await states()).toEqual([])
  await sql('create table notes (id int primary key)')
  expect(await states()).toContain('stet_insert absent')
  const [{ name } = {}] = await sql(
    `select function::text as name from stet.log_trigger where target = 'notes'::regclass`,
  )
  await sql(`drop function ${name} cascade`)
  expect(await states()).toEqual([])
})

it.each(['alter table articles rename to texts', 'create schema elsewhere; alter table articles set schema elsewhere'])(
  'knows a table that was moved since it was watched: %s',
  async (move) => {
    await sql(move)
    expect(await states()).toEqual([])
    await sql(`alter table ${move.includes('texts') ? 'texts' : 'elsewhere.articles'} disable trigger stet_insert`)
    expect(await states()).toEqual(['stet_insert disabled'])
  },
)

describe('stet.keep', () => {
  beforeEach(() =>
    sql(`create table counters (n int); insert into counters values (0);
      create function count_articles() returns trigger language plpgsql set search_path from current as
        $$ begin update counters set n = n + 1; return null; end $$;
      create trigger counted after insert on articles for each row execute function count_articles();
      select stet.keep('articles', 'counted', '{counters}', 'update counters set n = (select count(*) from articles)')`),
  )

  it('has a trigger looked at, made again as it was, and what it missed done', async () => {
    expect(await states()).toEqual(['counted not always'])
    await sql('drop trigger counted on articles; insert into articles values (1, 1), (2, 1)')
    expect(await states()).toEqual(['counted absent'])
    await appended()
    expect(await mendTriggers(database.pool)).toMatchObject([{ trigger: 'counted', state: 'absent' }])
    expect(await appended()).toEqual([['counters']])
    await sql(
      'set session_replication_role = replica; insert into articles values (3, 1); reset session_replication_role',
    )
    expect(await sql('select n from counters')).toEqual([{ n: 3 }])
  })

  it('refuses a trigger that is not there', async () => {
    await expect(sql(`select stet.keep('articles', 'conted', '{}')`)).rejects.toThrow(
      'stet.keep: table public.articles has no trigger conted',
    )
  })
})

describe('a table that is rewritten', () => {
  it.each([
    ['alter table articles alter author_id type bigint using author_id + 1', [['articles']]],
    ['alter table parts alter n type bigint using n + 1', [['parts']]],
    ['begin; alter table articles alter author_id type bigint using author_id + 1; rollback', []],
    ['alter table articles add column age int default 7', []],
    ['alter table unwatched alter n type bigint using n + 1', []],
    ['alter table empty alter id type bigint using id + 1', []],
  ])('falls, if it is watched and holds something: %s', async (statement, tags) => {
    await sql(`insert into articles values (1, 1);
      create table parts (id int, n int) partition by list (id); create table parts_1 partition of parts for values in (1);
      select stet.watch('parts', null, '{n}'); insert into parts values (1, 1);
      create table unwatched (n int); insert into unwatched values (1);
      create table empty (id int primary key); select stet.watch('empty', 'id')`)
    await appended()
    await sql(statement)
    expect(await appended()).toEqual(tags)
  })
})

it('lets everything of a table fall at each look, until its triggers are on again', async () => {
  await sql(`create table trail (id int); create function refuse() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger refused before delete on trail for each row execute function refuse();
    alter table trail enable always trigger refused; select stet.keep('trail', 'refused', '{}')`)
  const changes: number[] = []
  const watch = new TriggerWatch({ primary: database.pool, observer: { onChange: (off) => changes.push(off.length) } })
  await watch.look()
  await watch.check()
  expect([await appended(), watch.missesWrites]).toEqual([[], false])

  await sql('alter table articles disable trigger stet_update; alter table trail disable trigger refused')
  for (const _ of [1, 2]) {
    await watch.look()
    expect([await appended(), watch.missesWrites]).toEqual([[['articles']], true])
  }
  await expect(watch.check()).rejects.toThrow('stet_update on articles (disabled)')

  await sql('alter table articles enable always trigger stet_update')
  await watch.look()
  expect([await appended(), watch.missesWrites, watch.off.length]).toEqual([[['articles']], false, 1])
  await watch.look()
  expect([await appended(), changes]).toEqual([[], [2, 1]])
  await watch.stop()
})

it('says that all is not well until it could look, and lets fall later what it has found', async () => {
  let isDown = true
  const errors: string[] = []
  const watch = new TriggerWatch({
    primary: {
      query: async (text, values) => {
        if (isDown) throw new Error('The database is down.')
        return (await database.pool.query(text, values)) as never
      },
    },
    everyMs: 1,
    observer: { onError: (error) => errors.push(error.message) },
  })
  await watch.start()
  await watch.stop()
  await expect(watch.check()).rejects.toThrow('No look at the triggers has succeeded yet.')
  await sql('alter table articles disable trigger stet_update')
  isDown = false
  await watch.look()
  await appended()
  isDown = true
  await expect(watch.look()).rejects.toThrow('The database is down.')
  await expect(watch.check()).rejects.toThrow('stet_update on articles (disabled)')
  await sql('alter table articles enable always trigger stet_update')
  isDown = false
  await watch.look()
  await watch.check()
  expect(await appended()).toEqual([['articles']])
  expect(errors).toContain('The database is down.')
})
