import { beforeEach, expect, it } from '@jest/globals'
import pg from 'pg'
import { installStet } from '../../src/invalidation/index.ts'
import { use, useDatabase } from '../harness/use.ts'

const database = await useDatabase()
const client = use(new pg.Client(database.url), (it) => it.end())
await client.connect()
await installStet(client)

beforeEach(async () => {
  await client.query(`
    set client_min_messages = warning;
    drop schema public cascade;
    create schema public;
    create table articles (id int primary key, author_id int, title text not null default '', score float8, body text);
    select stet.watch('articles', 'id', '{author_id,score}', '{title}');
    insert into articles values (1, 7, 'one', 1), (2, 7, 'two', 2), (3, null, 'three', 3);
    delete from stet.pending
  `)
})

it.each([
  `insert into articles values (4, 8)`,
  `insert into articles select n from generate_series(10, 2000) n`,
  `update articles set body = 'new' where id = 1`,
  'delete from articles where id = 1',
  'truncate articles',
])('says of every write that the table was written: %s', async (statement) => {
  expect(await allTagsOf(statement)).toContain('articles:any')
})

it('says nothing of a statement that wrote nothing', async () => {
  expect(await allTagsOf('delete from articles where id = 99')).toEqual([])
})

it('names an inserted row, its table, and the value of each watched column', async () => {
  expect(await tagsOf(`insert into articles values (4, 8)`)).toEqual([
    'articles:*',
    'articles:4',
    'articles:author_id=8',
  ])
})

it('names a deleted row, its table, and the value of each watched column', async () => {
  expect(await tagsOf('delete from articles where id = 3')).toEqual([
    'articles:*',
    'articles:3',
    'articles:author_id=null',
  ])
})

it('names nothing but the row where no watched column changes', async () => {
  expect(await tagsOf(`update articles set body = 'new', author_id = author_id where id = 1`)).toEqual(['articles:1'])
})

it('names the old and the new value where a watched column changes', async () => {
  expect(await tagsOf('update articles set author_id = 8 where id = 1')).toEqual([
    'articles:*',
    'articles:1',
    'articles:author_id=7',
    'articles:author_id=8',
  ])
})

it('takes a change to null, and from null, for a change', async () => {
  const moved = ['articles:*', 'articles:author_id=7', 'articles:author_id=null']
  expect(await tagsOf('update articles set author_id = null where id = 1')).toEqual([...moved, 'articles:1'].sort())
  expect(await tagsOf('update articles set author_id = 7 where id = 3')).toEqual([...moved, 'articles:3'].sort())
})

it('names the lists a row is in where a column of a continuous type moves it within them', async () => {
  expect(await tagsOf('update articles set score = 9 where id = 1')).toEqual([
    'articles:*',
    'articles:1',
    'articles:author_id=7',
  ])
})

it('names a field where some row has another value of it, but no lists', async () => {
  expect(await tagsOf(`update articles set title = 'new' where id = 1`)).toEqual(['articles:1', 'articles:title'])
})

it('names an updated key under both its names', async () => {
  expect(await tagsOf('update articles set id = 9 where id = 1')).toEqual(
    ['articles:*', 'articles:1', 'articles:9', 'articles:author_id=7', 'articles:title'].sort(),
  )
})

it('names both of two rows that swap their keys', async () => {
  await client.query('alter table articles drop constraint articles_pkey, add primary key (id) deferrable')
  expect(await tagsOf(`update articles set id = 3 - id where id < 3`)).toEqual(
    expect.arrayContaining(['articles:1', 'articles:2', 'articles:title']),
  )
})

it('writes nothing for a statement that touches no row', async () => {
  const nothing = 'where false'
  expect(await tagsOf(`update articles set author_id = 1 ${nothing}; delete from articles ${nothing}`)).toEqual([])
  expect(await tagsOf(`insert into articles select 1, 1 ${nothing}`)).toEqual([])
})

it('writes nothing for a transaction that rolls back', async () => {
  expect(await tagsOf('begin; update articles set author_id = 1; rollback')).toEqual([])
})

it('names what an upsert inserts and what it updates', async () => {
  const upsert = `insert into articles values (1, 9), (4, 9) on conflict (id) do update set author_id = excluded.author_id`
  expect(await tagsOf(upsert)).toEqual(
    ['articles:*', 'articles:1', 'articles:4', 'articles:author_id=7', 'articles:author_id=9'].sort(),
  )
  expect(await tagsOf('insert into articles values (1, 3) on conflict do nothing')).toEqual([])
})

it('names what a MERGE inserts, updates and deletes', async () => {
  const merge = `merge into articles using (values (1), (2), (5)) source(id) on source.id = articles.id
    when matched and articles.id = 1 then update set body = 'merged'
    when matched then delete
    when not matched then insert (id, author_id) values (source.id, 5)`
  expect(await tagsOf(merge)).toEqual(
    ['articles:*', 'articles:1', 'articles:2', 'articles:5', 'articles:author_id=5', 'articles:author_id=7'].sort(),
  )
})

it('names what several writes within one statement touch', async () => {
  const both = `with one as (update articles set body = 'x' where id = 1), two as (update articles set body = 'x' where id = 2)
    delete from articles where id = 3`
  expect(await tagsOf(both)).toEqual(
    expect.arrayContaining(['articles:1', 'articles:2', 'articles:3', 'articles:*', 'articles:author_id=null']),
  )
})

it('names the rows that COPY brings', async () => {
  await copyIn('copy articles (id, author_id) from stdin', '4\t8\n')
  expect(await tagsOf('select')).toEqual(['articles:*', 'articles:4', 'articles:author_id=8'])
})

it('names the rows that fall with those they refer to, or change with them', async () => {
  await client.query(`
    create table comments (id int primary key, article_id int references articles on delete cascade on update cascade);
    create table notes (id int primary key, article_id int references articles on delete set null on update cascade);
    select stet.watch('comments', 'id', '{article_id}');
    select stet.watch('notes', 'id', '{article_id}');
    insert into comments values (10, 1), (11, 2);
    insert into notes values (20, 1);
    delete from stet.pending
  `)
  expect(await tagsOf('update articles set id = 5 where id = 1')).toEqual(
    expect.arrayContaining(['comments:10', 'comments:article_id=1', 'comments:article_id=5', 'notes:article_id=5']),
  )
  expect((await tagsOf('delete from articles')).filter((tag) => !tag.startsWith('articles'))).toEqual(
    [
      'comments:*',
      'comments:10',
      'comments:11',
      'comments:article_id=2',
      'comments:article_id=5',
      'notes:*',
      'notes:20',
      'notes:article_id=5',
      'notes:article_id=null',
    ].sort(),
  )
})

it('names the table where it is emptied', async () => {
  expect(await tagsOf('truncate articles')).toEqual(['articles'])
})

for (const statement of [
  'insert into articles select 10 + n, 1 from generate_series(1, $) n',
  'update articles set author_id = 2 where id > 10 and id <= 10 + $',
  'delete from articles where id > 10 and id <= 10 + $',
]) {
  it(`names the table instead of more than 1,000 rows: ${statement.slice(0, 6)}`, async () => {
    await client.query('insert into articles select 10 + n, 1 from generate_series(1, 1001) n where $1', [
      !statement.startsWith('insert'),
    ])
    await client.query('delete from stet.pending')
    expect(await tagsOf(`begin; ${statement.replace('$', '1001')}`)).toEqual(['articles'])
    await client.query('rollback')
    const few = await tagsOf(statement.replace('$', '1000'))
    expect(few).toHaveLength(statement.startsWith('update') ? 1003 : 1002)
    expect(few).not.toContain('articles')
  })
}

it('pairs no rows of a table without a key: each left its lists and joined them again', async () => {
  await client.query(`
    create table article_tags (article_id int, tag_id int);
    select stet.watch('article_tags', null, '{article_id,tag_id}');
    insert into article_tags values (1, 5);
    delete from stet.pending
  `)
  expect(await tagsOf('update article_tags set tag_id = 6')).toEqual(
    ['article_tags:*', 'article_tags:article_id=1', 'article_tags:tag_id=5', 'article_tags:tag_id=6'].sort(),
  )
})

it('watches tables and columns of any name and type', async () => {
  await client.query(`
    create schema "Odd Schema";
    create table "Odd Schema"."It's ""odd"" 100%" ("The Key" text primary key, "a=b" jsonb, "C'est" numeric(6, 2), "select" bytea);
    select stet.watch('"Odd Schema"."It''s ""odd"" 100%"', 'The Key', '{"a=b","C''est"}', '{select}');
  `)
  expect(await tagsOf(`insert into "Odd Schema"."It's ""odd"" 100%" values ('k ''1', '{"a": 1}', 1.5, 'x')`)).toEqual(
    [`It's "odd" 100%:*`, `It's "odd" 100%:k '1`, `It's "odd" 100%:a=b={"a": 1}`, `It's "odd" 100%:C'est=1.50`].sort(),
  )
  expect(await tagsOf(`update "Odd Schema"."It's ""odd"" 100%" set "select" = 'y'`)).toEqual(
    [`It's "odd" 100%:k '1`, `It's "odd" 100%:select`].sort(),
  )
})

for (const [type, value, text] of [
  ['uuid', `'00000000-0000-0000-0000-00000000000a'`, '00000000-0000-0000-0000-00000000000a'],
  ['bigint', '9007199254740993', '9007199254740993'],
  ['bytea', `'a'`, '\\x61'],
  ['text[]', `'{a,b}'`, '{a,b}'],
  ['jsonb', `'"a"'`, '"a"'],
  ['boolean', 'true', 'true'],
  ['date', `'2026-01-02'`, '2026-01-02'],
] as const) {
  it(`names a row by a key of type ${type}`, async () => {
    await client.query(`create table t (id ${type} primary key, a int); select stet.watch('t', 'id', '{a}')`)
    expect(await tagsOf(`insert into t values (${value})`)).toContain(`t:${text}`)
    expect(await tagsOf('update t set a = 1')).toContain(`t:${text}`)
    expect(await tagsOf('delete from t')).toContain(`t:${text}`)
  })
}

it('tells tables of one name in two schemas apart, whichever comes first in the search path', async () => {
  await client.query(`
    create schema other;
    create table other.articles (key text primary key, topic text);
    set search_path = other, public;
    select stet.watch('articles', 'key', '{topic}');
    reset search_path
  `)
  expect(await tagsOf(`insert into articles values (4, 8)`)).toContain('articles:author_id=8')
  expect(await tagsOf(`insert into other.articles values ('k', 'x')`)).toContain('articles:topic=x')
  await client.query('drop schema other cascade')
})

it('tells tables apart whose long names begin alike', async () => {
  const long = 'é'.repeat(30)
  for (const [end, column] of Object.entries({ a: 'one', b: 'two' })) {
    await client.query(`create table "${long}${end}" (id int primary key, ${column} int)`)
    await client.query(`select stet.watch('"${long}${end}"', 'id', '{${column}}')`)
  }
  expect(await tagsOf(`insert into "${long}a" values (1, 2)`)).toContain(`${long}a:one=2`)
})

it('watches partitions, also where they are written directly', async () => {
  await client.query(`
    create table events (id int, month int, kind text, primary key (id, month)) partition by list (month);
    create table events_1 partition of events for values in (1);
    create table events_2 (kind text, month int not null, id int not null);
    alter table events attach partition events_2 for values in (2);
    select stet.watch('events', 'id', '{month,kind}');
  `)
  expect(await tagsOf(`insert into events values (1, 1, 'a'), (2, 2, 'b')`)).toEqual(
    ['events:*', 'events:1', 'events:2', 'events:kind=a', 'events:kind=b', 'events:month=1', 'events:month=2'].sort(),
  )
  expect(await tagsOf(`update events set month = 2 where id = 1`)).toEqual(
    ['events:*', 'events:1', 'events:kind=a', 'events:month=1', 'events:month=2'].sort(),
  )
  expect(await tagsOf(`update events_2 set kind = 'c' where id = 2`)).toEqual(
    ['events:*', 'events:2', 'events:kind=b', 'events:kind=c', 'events:month=2'].sort(),
  )
  expect(await tagsOf('delete from events_2 where id = 1')).toContain('events:1')
  expect(await tagsOf('truncate events_2')).toEqual(['events'])
})

it('watches the children of a table too', async () => {
  await client.query(`
    create table reviews (stars int) inherits (articles);
    select stet.watch('articles', 'id', '{author_id}')
  `)
  expect(await tagsOf('insert into reviews (id, author_id) values (50, 6)')).toContain('articles:author_id=6')
  expect(await tagsOf('update articles set author_id = 5 where id = 50')).toContain('articles:author_id=6')
})

it('also notices who switches ordinary triggers off', async () => {
  await client.query('set session_replication_role = replica')
  const tags = await tagsOf('delete from articles where id = 1')
  await client.query('reset session_replication_role')
  expect(tags).toContain('articles:1')
})

it.each([
  ["the schema is its owner's alone", 'revoke create on schema public from public', true],
  ['anybody may put operators there', 'grant create on schema public to public', false],
])("gives the function of a table with types of an extension its owner's rights if %s", async (_, rights, expected) => {
  await client.query(`${rights}; create type mood as enum ('good', 'bad');
    create table moods (id int primary key, mood mood); select stet.watch('moods', 'id', '{mood}')`)
  const { rows } = await client.query(`select prosecdef from pg_proc where proname like 'write%_moods'`)
  expect(rows).toEqual([{ prosecdef: expected }])
  expect(await tagsOf(`insert into moods values (1, 'good')`)).toContain('moods:mood=good')
  expect(await tagsOf(`set search_path = ''; update public.moods set mood = 'bad'; reset search_path`)).toContain(
    'moods:mood=bad',
  )
})

it('can be called again, with other columns', async () => {
  await client.query(`select stet.watch('articles', 'id', '{}')`)
  expect(await tagsOf('update articles set author_id = 8 where id = 1')).toEqual(['articles:1'])
})

it('refuses a column that is not there', async () => {
  await expect(client.query(`select stet.watch('articles', 'id', '{autor_id,title}')`)).rejects.toThrow(
    `stet.watch: table articles has no column 'autor_id'`,
  )
})

it('refuses a key that may be null: such rows could not be named', async () => {
  await expect(client.query(`select stet.watch('articles', 'author_id')`)).rejects.toThrow('may be null')
})

it('refuses a column that cannot be compared, rather than every update to come', async () => {
  await client.query('create table documents (id int primary key, content json)')
  await expect(client.query(`select stet.watch('documents', 'id', '{}', '{content}')`)).rejects.toThrow('json')
})

it('refuses a table whose name a tag could not hold', async () => {
  await client.query('create table "a:b" (id int primary key)')
  await expect(client.query(`select stet.watch('"a:b"', 'id')`)).rejects.toThrow('colon')
})

it('appends by hand what it is given', async () => {
  expect(await tagsOf(`select stet.touch('articles:1', 'custom')`)).toEqual(['articles:1', 'custom'])
  expect(await tagsOf(`select stet.touch(variadic array['a', 'b'])`)).toEqual(['a', 'b'])
  await expect(client.query('select stet.touch(null)')).rejects.toThrow('check constraint')
  await expect(client.query(`select stet.touch(variadic '{}')`)).rejects.toThrow('check constraint')
})

/** The tags that a statement's record holds. */
async function tagsOf(statement: string): Promise<string[]> {
  const tags = await allTagsOf(statement)
  return tags.filter((tag) => !tag.endsWith(':any'))
}

async function allTagsOf(statement: string): Promise<string[]> {
  await client.query(statement)
  const { rows } = await client.query<{ tag: string }>(
    `with moved as (delete from stet.pending returning tags) select distinct unnest(tags) as tag from moved`,
  )
  return rows.map(({ tag }) => tag).sort()
}

function copyIn(statement: string, lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection) => connection.query(statement),
      handleCopyInResponse(connection: { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void }) {
        connection.sendCopyFromChunk(Buffer.from(lines))
        connection.endCopyFrom()
      },
      handleCommandComplete() {},
      handleReadyForQuery: () => resolve(),
      handleError: reject,
    } as pg.Submittable)
  })
}
