import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { addContent } from '../api/add-content.ts'
import { ADD_LONELY, CALLS, MUTATIONS, sendMutation } from '../api/every-mutation.ts'
import { RunningStet, runStet } from '../api/run-stet.ts'
import {
  emptyContent,
  GraphQLClient,
  queryOnce,
  startPostgres,
  startTestNode,
  TEST_JWT_SECRET,
  testToken,
} from '../harness/index.ts'
import { use, useRedis } from '../harness/use.ts'

/** A node under the role that `docker-compose.yml` gives it. Roles belong to a whole server, so this suite has one of its own. */
const server = use(await startPostgres(), (it) => it.stop())
const database = await server.createDatabase()
const redis = useRedis()

const roles = readFileSync('deploy/postgres/roles.sql', 'utf8')
  .replace(/^\\set .*$/gm, '')
  .replace(/:'\w+'/g, `'secret'`)
  .replaceAll('database stet', `database ${database.name}`)
await asSuperuser(roles)
const owner = urlOf('stet_owner')
const nodes = urlOf('stet_node')
const migrate = () => runStet(['migrate', '--grant-to', 'stet_node'], { DATABASE_URL: owner })

it('needs an owner who is no superuser to migrate, and may do so again', async () => {
  expect(await migrate()).toMatchObject({ code: 0, stderr: '' })
  expect(await migrate()).toMatchObject({ code: 0, stdout: 'Up to date.\n', stderr: '' })
})

it('is refused where it could not keep the role from the log', async () => {
  const other = await server.createDatabase()
  await queryOnce(server.url, `alter database ${other.name} owner to stet_owner`)
  const environment = { DATABASE_URL: urlOf('stet_owner', other.url), DATABASE_SCHEMA: 'stet' }
  expect(await runStet(['migrate', '--grant-to', 'stet_node'], environment)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('in the schema stet'),
  })
})

it('lets a node do every mutation, answer every query and count views', async () => {
  const node = await startTestNode({ databaseUrl: nodes, ...redis })
  try {
    let counted: readonly object[] = []
    for (const name of MUTATIONS) {
      await emptyContent(database.url)
      await addContent(database.url)
      await asSuperuser(ADD_LONELY)
      await node.catchUp()
      expect(await sendMutation(node.admin, `${name}${CALLS[name]?.[0]}`)).toMatchObject({ errors: [] })
      if (name !== 'recordView') continue
      await node.drain()
      counted = await asSuperuser('select views from article_stats where article_id = 1')
    }
    expect(counted).toEqual([{ views: '1' }])
    await node.visitor.get(`{
      articles(filter: { search: "fox", tag: "cats", author: "ann" }, orderBy: MOST_VIEWED) {
        totalCount nodes { bodyHtml viewCount author { username } tags { name articleCount } }
      }
      users { nodes { articles { totalCount } } }
    }`)
    expect(await (await fetch(`${node.url}/readyz`)).text()).toContain('postgresql: ok')
  } finally {
    await node.close()
  }
})

it('lets it rank articles, begin an epoch, give positions, prune the log and invalidate', async () => {
  for (const statement of [
    'update article_stats set ranked_views = views',
    'select stet.start_epoch(stet.current_epoch())',
    `select stet.touch('articles:1')`,
    'select stet.sequence()',
    `select stet.prune(1, '0 seconds')`,
    'select from stet.as_of',
  ]) {
    await queryOnce(nodes, statement)
  }
  const invalidated = await runStet(['cache', 'invalidate', 'articles:1'], { DATABASE_URL: nodes })
  expect(invalidated).toMatchObject({ code: 0, stderr: '' })
})

it('starts a node and a worker by the command line, with nothing to migrate', async () => {
  for (const command of ['serve', 'worker']) {
    const running = new RunningStet([command, '--json'], {
      PORT: '0',
      AUTH_JWT_SECRET: TEST_JWT_SECRET,
      DATABASE_URL: nodes,
      REDIS_URL: redis.redisUrl,
      REDIS_KEY_PREFIX: redis.redisPrefix,
    })
    const { url } = await running.serving()
    if (command === 'serve') await new GraphQLClient(url, await testToken('admin')).get('{ viewer { id } }')
    expect(await running.end('SIGTERM')).toMatchObject({ code: 0 })
  }
})

it.each([
  'select * from audit',
  `update audit set action = 'nothing'`,
  'delete from audit',
  `set stet.prune_audit = on; delete from audit`,
  'truncate audit',
  `insert into audit (at, role, action) values ('2020-01-01', 'admin', 'deleteUser')`,
  'alter table audit disable trigger audit_is_append_only',
  'truncate articles',
  'drop table articles',
  'alter table articles disable trigger all',
  'create table mine (id int)',
  'create temporary table mine (id int)',
  'create schema mine',
  'create role mine superuser',
  `insert into stet.migration (name) values ('0099_mine')`,
  `update stet.log set tags = '{}'`,
  'truncate stet.log',
  'select * from pg_authid',
  `select pg_read_file('/etc/passwd')`,
  `copy articles to program 'cat'`,
])('refuses its role: %s', async (statement) => {
  await expect(queryOnce(nodes, statement)).rejects.toThrow(/permission denied|must be (owner|superuser)/)
})

it('lets a role write articles that may write nothing else, but the log', async () => {
  await asSuperuser(`create role writer login; grant connect on database ${database.name} to writer;
    grant select, insert, update, delete on articles to writer;
    grant usage on schema stet to writer; grant insert on stet.pending to writer`)
  const position = async () => Number((await asSuperuser('select tip from stet.sequence()'))[0]?.tip)
  const before = await position()
  await queryOnce(
    urlOf('writer'),
    `insert into articles (slug, title, body, author_id) select 'by-hand', 'T', 'B', min(author_id) from articles`,
  )
  await asSuperuser(
    `insert into article_tags select id, (select min(id) from tags) from articles where slug = 'by-hand'`,
  )
  await queryOnce(
    urlOf('writer'),
    `update articles set status = 'PUBLISHED', published_at = now() where slug = 'by-hand'`,
  )
  await queryOnce(urlOf('writer'), `set search_path = ''; delete from public.articles where slug = 'by-hand'`)
  await position()
  const [{ tags } = { tags: [] }] = await asSuperuser(
    `select array_agg(tag) as tags from stet.log, unnest(tags) tag where position > ${before}`,
  )
  expect(tags).toEqual(
    expect.arrayContaining([expect.stringMatching(/^article_tags:tag_id=/), expect.stringMatching(/^article_stats:/)]),
  )
})

describe('a role that may write articles, and has no other right', () => {
  const writer = (text: string) => queryOnce(urlOf('scribe'), text)
  const tagsSince = async (position: unknown) => {
    await asSuperuser('select stet.sequence()')
    const rows = await asSuperuser(`select unnest(tags) as tag from stet.log where position > ${position}`)
    return rows.map(({ tag }) => tag)
  }

  it.each(['', `set search_path = '';`])('writes them, and the log has it: %s', async (settings) => {
    await asSuperuser(`do $$ begin create role scribe login; exception when duplicate_object then null; end $$;
      grant connect on database ${database.name} to scribe; grant select, insert, update, delete on articles to scribe`)
    const [{ tip } = {}] = await asSuperuser('select tip from stet.sequence()')
    const [{ author } = {}] = await asSuperuser('select min(author_id) as author from articles')
    await writer(
      `${settings} insert into public.articles (slug, title, body, author_id) values ('by-scribe', 'T', 'B', ${author})`,
    )
    await asSuperuser(
      `insert into article_tags select id, (select min(id) from tags) from articles where slug = 'by-scribe'`,
    )
    await writer(
      `${settings} update public.articles set status = 'PUBLISHED', published_at = now() where slug = 'by-scribe'`,
    )
    await writer(`${settings} delete from public.articles where slug = 'by-scribe'`)
    expect(await tagsSince(tip)).toEqual(
      expect.arrayContaining([
        'articles:slug=by-scribe',
        'articles:status=PUBLISHED',
        expect.stringMatching(/^article_tags:tag_id=/),
        expect.stringMatching(/^article_stats:/),
      ]),
    )
  })

  it.each([
    `select stet.touch('articles')`,
    `insert into stet.pending (tags) values ('{articles}')`,
    'insert into article_stats (article_id) select min(id) from articles',
    'create trigger mine after insert on articles for each statement execute function articles_have_stats()',
  ])('has no more rights by that: %s', async (statement) => {
    await expect(writer(statement)).rejects.toThrow('permission denied')
  })

  it('may touch tags once it may append to the log', async () => {
    await asSuperuser('grant usage on schema stet to scribe; grant insert on stet.pending to scribe')
    const [{ tip } = {}] = await asSuperuser('select tip from stet.sequence()')
    await writer(`set search_path = ''; select stet.touch('by scribe')`)
    expect(await tagsSince(tip)).toEqual(['by scribe'])
  })
})

function urlOf(role: string, at = database.url): string {
  const url = new URL(at)
  url.username = role
  url.password = 'secret'
  return url.href
}

function asSuperuser(text: string) {
  return queryOnce(database.url, text)
}
