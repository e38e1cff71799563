import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { findOnPath, findPostgresBinaries } from '../harness/find-binaries.ts'
import { createTestDatabase, queryOnce, startTestNode, type TestNode } from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'

/** Nothing about a writer decides what falls, nor what triggers write: not its settings, not its search_path, not what it has in it. */
const database = await useDatabase()
const node = await useNode({ database })
const ADD_CONTENT = `
  insert into public.users (username, display_name, email) values ('ann', 'Ann', 'ann@example.com');
  insert into public.tags (slug, name) values ('cats', 'Cats');
  insert into public.articles (slug, title, body, author_id, status, published_at)
    values ('first', 'First', 'Of cats.', 1, 'PUBLISHED', now());
  insert into public.article_tags values (1, 1);`
await queryOnce(
  database.url,
  `${ADD_CONTENT}
   create function public.by_definer(statement text) returns void language plpgsql security definer set search_path = '' as
     $$ begin execute statement; end $$;
   create schema evil;
   create function evil.always(text, text) returns boolean language sql as 'select true';
   create function evil.always(bigint, bigint) returns boolean language sql as 'select true';
   create function evil.always(timestamptz, timestamptz) returns boolean language sql as 'select true';
   create function evil.never(bigint, integer) returns boolean language sql as 'select false';
   create function evil.never(integer, integer) returns boolean language sql as 'select false';
   create function evil.nothing(text, text) returns text language sql as $$ select '' $$;
   create function evil.same(integer, integer) returns integer language sql as 'select $1';
   create function evil.cardinality(text[]) returns integer language sql as 'select 0';
   create function evil.now() returns timestamptz language sql as $$ select '2001-01-01'::timestamptz $$;
   create operator evil.= (function = evil.always, leftarg = text, rightarg = text);
   create operator evil.= (function = evil.always, leftarg = bigint, rightarg = bigint);
   create operator evil.= (function = evil.always, leftarg = timestamptz, rightarg = timestamptz);
   create operator evil.> (function = evil.never, leftarg = bigint, rightarg = integer);
   create operator evil.> (function = evil.never, leftarg = integer, rightarg = integer);
   create operator evil.|| (function = evil.nothing, leftarg = text, rightarg = text);
   create operator evil.+ (function = evil.same, leftarg = integer, rightarg = integer)`,
)

describe.each([
  ['a writer like any other', ''],
  ['one that sets session_replication_role', 'set session_replication_role = replica'],
  ['one without a search_path', `set search_path = ''`],
  ['one that does both', `set session_replication_role = replica; set search_path = ''`],
  [
    'one with temporary tables and types of the same names',
    `create temp table article_tags (article_id bigint, tag_id bigint); create temp table article_stats (article_id bigint);
     create temp table new_rows (id text); create type pg_temp.text as enum ('a'); set search_path = pg_temp, public`,
  ],
  ['one with operators and functions of the same names', 'set search_path = evil, pg_catalog, public'],
])('%s', (_, settings) => {
  const write = (statement: string) => queryOnce(database.url, `${settings}; ${statement}`)

  it('changes the rows, lists, counts and orders that it should', async () => {
    await expectAsWritten(node, write)
  })
})

it("changes them by a function that has its definer's rights, and no search_path", async () => {
  await expectAsWritten(node, (statement) => queryOnce(database.url, 'select by_definer($1)', [statement]))
})

it('loads what `pg_dump --data-only` wrote, counters included, and all of it is seen', async () => {
  const programs = findOnPath('pg_dump') && findOnPath('psql') ? '' : findPostgresBinaries()
  // Without the programs, the server is in a container.
  if (programs === undefined) return
  const [from, to] = [await createTestDatabase(), await createTestDatabase()]
  use(from, (it) => it.drop())
  use(to, (it) => it.drop())
  const [source, loaded] = [
    await startTestNode({ databaseUrl: from.url }),
    await startTestNode({ databaseUrl: to.url }),
  ]
  use(source, (it) => it.close())
  use(loaded, (it) => it.close())
  await queryOnce(from.url, `${ADD_CONTENT} update article_stats set views = 7, ranked_views = 7`)
  expect(await read(loaded)).toMatchObject({ tagged: { totalCount: 0 }, viewed: { nodes: [] }, tag: null })

  const input = execFileSync(join(programs, 'pg_dump'), ['--data-only', '--schema=public', from.url])
  execFileSync(join(programs, 'psql'), ['--quiet', '--set=ON_ERROR_STOP=1', '--single-transaction', to.url], { input })
  await loaded.catchUp()
  const after = await read(loaded)
  expect(after).toMatchObject({ tagged: { totalCount: 1 }, viewed: { nodes: [{ viewCount: 7 }] } })
  expect(after).toEqual(await read(source))
})

it('fires every trigger of the content always, and has each of them looked at', async () => {
  const triggers = await queryOnce(
    database.url,
    `select format('%s %s %s', tgenabled, tgrelid::regclass, tgname) as trigger from pg_trigger
      where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace in ('public'::regnamespace, 'stet'::regnamespace))
      order by 1`,
  )
  const lookedAt = await queryOnce(
    database.url,
    `select format('A %s %s', target, trigger) as trigger from stet.log_trigger
      union select format('A %s %s', target::regclass, name) from stet.kept_trigger order by 1`,
  )
  expect(triggers).toEqual(lookedAt)
  expect(triggers.length).toBeGreaterThan(20)
})

let articles = 1

/** Lets an article be written, published, changed and unpublished, while all that shows it is cached. */
async function expectAsWritten(node: TestNode, write: (statement: string) => Promise<unknown>): Promise<void> {
  const id = ++articles
  const seen = async () => {
    await node.catchUp()
    const { tagged, viewed, newest, tag } = await read(node)
    const [article] = newest.nodes.filter(({ slug }) => slug === `article-${id}`)
    const inOrder = viewed.nodes.some(({ slug }) => slug === `article-${id}`)
    return {
      title: article?.title,
      version: article?.version,
      inOrder,
      tagged: tagged.totalCount,
      count: tag?.articleCount,
    }
  }
  const published = await seen()
  expect(published).toEqual({ tagged: 1, count: 1, inOrder: false })

  await write(
    `insert into public.articles (id, slug, title, body, author_id, status, published_at)
       values (${id}, 'article-${id}', 'New', 'Of cats.', 1, 'PUBLISHED', pg_catalog.now())`,
  )
  expect(await seen()).toEqual({ ...published, title: 'New', version: 1, inOrder: true })
  await write(`insert into public.article_tags values (${id}, 1)`)
  expect(await seen()).toMatchObject({ tagged: 2, count: 2 })
  await write(`update public.articles set title = 'Newer' where id operator(pg_catalog.=) ${id}`)
  expect(await seen()).toMatchObject({ title: 'Newer', version: 2 })
  await write(`update public.articles set status = 'DRAFT', published_at = null where id operator(pg_catalog.=) ${id}`)
  expect(await seen()).toEqual(published)
  const [row] = await queryOnce(
    database.url,
    `select version, updated_at > now() - interval '1 hour' as dated, search @@ to_tsquery('english', 'newer') as found from articles where id = ${id}`,
  )
  expect(row).toEqual({ version: 3, dated: true, found: true })
}

interface Seen {
  readonly newest: {
    readonly nodes: readonly { readonly slug: string; readonly title: string; readonly version: number }[]
  }
  readonly viewed: { readonly nodes: readonly { readonly slug: string; readonly viewCount: number }[] }
  readonly tagged: { readonly totalCount: number }
  readonly tag: { readonly articleCount: number } | null
}

const read = (node: TestNode): Promise<Seen> =>
  node.visitor.get(`{
    newest: articles(first: 20) { nodes { slug title version } }
    viewed: articles(first: 20, orderBy: MOST_VIEWED) { nodes { slug viewCount } }
    tagged: articles(filter: { tag: "cats" }) { totalCount }
    tag(slug: "cats") { articleCount }
  }`)
