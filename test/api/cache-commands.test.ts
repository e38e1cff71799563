import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createTestDatabase, currentToken, queryOnce, startRedis, type TestNode, testToken } from '../harness/index.ts'
import { use, useDatabase, useNode, useRedis, useRedisClient } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'
import { runStet } from './run-stet.ts'

const directory = use(await mkdtemp(join(tmpdir(), 'stet-cache-')), (it) => rm(it, { recursive: true }))
const database = await useDatabase()
const shared = useRedis()
const { redisUrl, redisPrefix: prefix } = shared
const redis = useRedisClient()
const environment: NodeJS.ProcessEnv = { DATABASE_URL: database.url, REDIS_URL: redisUrl, REDIS_KEY_PREFIX: prefix }
const options = { database, redis: shared, built: true, environment: { LOG_BEAT_MS: '60000' } }
const node = await useNode(options)
/** That share Redis, and have no beat to save them. */
const nodes = [node, await useNode(options)]
const keysOf = (kind: string) => node.cache.find(kind)?.prefix.slice(prefix.length) ?? ''
/** Begins the keys of users, behind the prefix; and those of articles. */
const userKeys = keysOf('user')
const articleKeys = keysOf('article')
await addContent(database.url)

beforeEach(async () => {
  for (const each of nodes) {
    await each.catchUp()
    each.cache.clearMemory()
  }
  for (const key of await keysInRedis()) await redis.unlink(prefix + key)
})

it.each([
  'cache',
  'cache sing',
  'cache get article',
  'cache get artcle 1',
  'cache explain article',
  'cache explain artcle 1',
  'cache invalidate',
  'cache invalidate artcles:1',
  'cache purge',
  'cache purge --limit 10',
  'cache purge --all --limit 0',
  'cache purge --stored-before yesterday',
  'cache purge --pattern=',
  'cache warm --queries queries.graphql',
  'cache warm --url http://127.0.0.1:4000',
  'cache warm --token abc',
  'cache warm --queries queries.graphql --url ftp://127.0.0.1',
])('says how it is used, with exit code 2: stet %s', async (command) => {
  const { code, stdout, stderr } = await runStet(command.split(' '), environment)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toMatch(/ at .*:\d+/)
  expect(stderr).not.toBe('')
})

it.each(['get article 1', 'explain article 1', 'purge --all', 'stats', 'verify', 'warm'])(
  'needs Redis, and says so: stet cache %s',
  async (command) => {
    const args = command.split(' ')
    const absent = await runStet(['cache', ...args], { ...environment, REDIS_URL: '' })
    const message = 'REDIS_URL is not set, and this is about what Redis holds.\n'
    expect(absent).toEqual({ code: 2, stdout: '', stderr: message })
    const REDIS_URL = 'redis://user:hunter2@127.0.0.1:1'
    const gone = await runStet(['cache', ...args], { ...environment, REDIS_URL })
    expect(gone).toEqual({ code: 1, stdout: '', stderr: 'stet: Redis at 127.0.0.1:1 could not be reached.\n' })
  },
)

it('does not change the schema by the way, but says that there is none', async () => {
  const empty = await createTestDatabase()
  const { code, stdout, stderr } = await runStet(['cache', 'stats'], { ...environment, DATABASE_URL: empty.url })
  expect([code, stdout, stderr]).toEqual([1, '', 'stet: The database has no log yet: run `stet migrate` first.\n'])
  expect(await queryOnce(empty.url, `select to_regnamespace('stet') as found`)).toEqual([{ found: null }])
  await empty.drop()
})

it('gets an entry, and says how it is judged', async () => {
  await fill()
  const { code, result } = await run('cache', 'get', 'user', '1')
  expect([code, result]).toEqual([
    0,
    {
      key: `${prefix}${userKeys}1`,
      found: true,
      readable: true,
      standing: 'standing',
      exists: true,
      value: expect.objectContaining({ id: 1, username: 'ann' }),
      tags: ['users:1', 'users'],
      epoch: node.ledger.epoch,
      asOf: node.ledger.seen,
      position: node.ledger.seen,
      storedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      staleAt: expect.stringMatching(/^\d{4}-.*Z$/),
      ageMs: expect.any(Number),
      expiresInMs: expect.any(Number),
      bytes: expect.any(Number),
    },
  ])
  const text = await runStet(['cache', 'get', 'user', `${prefix}${userKeys}1`], environment)
  expect([text.code, text.stderr]).toEqual([0, ''])
  expect(text.stdout).toMatch(/^judged +standing$/m)
  expect(text.stdout).toMatch(/^tags +users:1 {2}users$/m)
})

it('says why an entry has fallen', async () => {
  await fill()
  await queryOnce(database.url, `update users set bio = 'New.' where id = 1`)
  expect((await run('cache', 'get', 'user', '1')).result).toMatchObject({
    standing: 'fallen',
    why: expect.stringMatching(/^users:1 was written at \d+, and it is as of \d+\.$/),
  })
  const other = await createTestDatabase()
  await runStet(['migrate'], { DATABASE_URL: other.url })
  const { stdout } = await runStet(['cache', 'get', 'user', '1', '--json'], { ...environment, DATABASE_URL: other.url })
  expect(JSON.parse(stdout)).toMatchObject({ standing: 'fallen', why: expect.stringContaining('epoch') })
  await other.drop()
})

it('explains whether an entry stands, and which records of the log felled it', async () => {
  await fill()
  const asOf = node.ledger.seen
  const key = `${prefix}${userKeys}1`
  const standing = await run('cache', 'explain', 'user', '1')
  expect([standing.code, standing.result]).toMatchObject([
    0,
    { key, standing: 'standing', asOf, tags: ['users:1', 'users'], records: [], log: { position: asOf } },
  ])
  await queryOnce(database.url, `update users set bio = 'Once.' where id in (1, 2)`)
  await queryOnce(database.url, `update users set bio = 'Not mine.' where id = 2`)
  await queryOnce(database.url, `select stet.touch('~users:1', 'elsewhere')`)
  const fallen = await run('cache', 'explain', 'user', key)
  expect([fallen.code, fallen.result]).toMatchObject([
    0,
    {
      standing: 'fallen',
      why: `users:1 was written at ${asOf + 1}, and it is as of ${asOf}.`,
      by: { position: asOf + 1, tags: ['users:1'] },
      records: [
        { position: asOf + 1, tags: ['users:1'], writtenAt: expect.stringMatching(/^\d{4}-.*Z$/) },
        { position: asOf + 3, tags: ['~users:1'] },
      ],
    },
  ])
  const text = await runStet(['cache', 'explain', 'user', '1'], environment)
  expect([text.code, text.stderr]).toEqual([0, ''])
  expect(text.stdout).toMatch(/^judged +fallen\nwhy +users:1 was written at \d+, and it is as of \d+\.$/m)
  expect(text.stdout).toMatch(new RegExp(`^written +${asOf + 3} {2}\\S+ {2}~users:1$`, 'm'))
})

it('explains a whole answer, by the key that an explained answer shows', async () => {
  // From the second time on an answer is kept: under a key that all share who are signed in, because no resolver looked at the viewer.
  await node.admin.get('{ tags { nodes { name } } }')
  const explained = await node.admin.send('{ tags { nodes { name } } }', {}, { 'stet-explain': '1' })
  const { stet } = explained.extensions as { stet: { answer: { key: string } } }
  const { key } = stet.answer
  expect((await run('cache', 'explain', 'response', key)).result).toMatchObject({ key, standing: 'absent' })
  await node.admin.get('{ tags { nodes { name } } }')
  await node.flush()
  const { code, result } = await run('cache', 'explain', 'response', key)
  expect([code, result]).toMatchObject([
    0,
    { key, standing: 'standing', tags: expect.arrayContaining(['responses', 'tags:*']) },
  ])
})

it('fails to explain what is not there, or is no entry', async () => {
  expect(await run('cache', 'explain', 'user', '1')).toMatchObject({
    code: 1,
    result: { standing: 'absent', records: [] },
  })
  await redis.set(`${prefix}${userKeys}1`, 'junk')
  expect(await run('cache', 'explain', 'user', '1')).toMatchObject({ code: 1, result: { standing: 'unreadable' } })
})

it('gets what is known not to exist', async () => {
  await node.visitor.get('{ article(slug: "nothing") { id } }')
  await node.flush()
  expect(await run('cache', 'get', 'article-by-slug', 'nothing')).toMatchObject({
    code: 0,
    result: { exists: false, value: null, standing: 'standing' },
  })
})

it('fails to get what is not there, or is no entry', async () => {
  const key = `${prefix}${userKeys}1`
  expect(await run('cache', 'get', 'user', '1')).toMatchObject({ code: 1, result: { key, found: false } })
  await redis.set(key, 'junk')
  expect(await run('cache', 'get', 'user', '1')).toMatchObject({ code: 1, result: { found: true, readable: false } })
})

it('names the kinds there are', async () => {
  const { stderr } = await runStet(['cache', 'get', 'artcle', '1'], environment)
  expect(stderr).toMatch(/^stet: There is no kind "artcle", but user, .*article, .*\n$/)
})

it('invalidates by tag, on every node, and prints the position', async () => {
  for (const each of nodes) expect(await titleOn(each)).toBe('Published')
  await behindTheLog(`update articles set title = 'Found' where id = 1`)
  for (const each of nodes) expect(await titleOn(each)).toBe('Published')
  const { code, result } = await run('cache', 'invalidate', 'articles:1', 'articles:title')
  expect([code, result]).toEqual([0, { position: expect.any(String), tags: ['articles:1', 'articles:title'] }])
  for (const each of nodes) expect(await titleOn(each, String(result.position))).toBe('Found')
  await behindTheLog(`update articles set title = 'Published' where id = 1`)
})

it('invalidates softly, and without Redis', async () => {
  const args = ['cache', 'invalidate', 'articles:1', '--soft']
  const { code, stdout, stderr } = await runStet(args, { ...environment, REDIS_URL: '' })
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^Invalidated articles:1 at \d+\.[0-9a-f]+\n$/)
  expect(await lastRecord()).toEqual(['~articles:1'])
})

it('names a tag that would purge nothing', async () => {
  const { stderr } = await runStet(['cache', 'invalidate', 'artcles:1'], environment)
  expect(stderr).toMatch(/^stet: tags must be of watched tables \(.*\); "artcles:1" is of none\.\n$/)
})

it('purges by pattern, from Redis and by way of the log from everywhere else', async () => {
  await fill()
  const before = await keysInRedis()
  const purged = before.filter((key) => key.startsWith('1:article-list.'))
  const at = node.ledger.seen
  expect(purged.length).toBeGreaterThan(0)
  const { code, result } = await run('cache', 'purge', '--pattern', 'article-list.*')
  expect([code, result]).toEqual([0, { purged: purged.length, complete: true }])
  expect(await keysInRedis()).toEqual(before.filter((key) => !purged.includes(key)))
  expect(await lastRecord()).toEqual([...purged.map((key) => prefix + key), 'responses'])
  for (const { ledger, catchUp } of nodes) {
    await catchUp()
    for (const key of purged) {
      expect(ledger.stands({ key: prefix + key, epoch: ledger.epoch, asOf: at, tags: [] })).toBe(false)
    }
  }
})

it('purges by whole keys, by when they were stored, as many as it is told to, and nothing of others', async () => {
  await fill()
  const before = await keysInRedis()
  await redis.set(`${prefix}elsewhere`, '1')
  const whole = await run('cache', 'purge', '--pattern', `${prefix}${userKeys}*`)
  expect(whole.result).toEqual({ purged: 2, complete: true })
  expect((await run('cache', 'purge', '--stored-before', '2020-01-01')).result).toEqual({ purged: 0, complete: true })
  const some = await run('cache', 'purge', '--stored-before', '2100-01-01', '--pattern', 'article.*', '--limit', '1')
  expect(some.result).toEqual({ purged: 1, complete: false })
  expect(await keysInRedis()).toHaveLength(before.length - 3 + 1)
  const rest = await run('cache', 'purge', '--all')
  expect(rest.result).toEqual({ purged: before.length - 3, complete: true })
  expect(await keysInRedis()).toEqual(['elsewhere'])
  const text = await runStet(['cache', 'purge', '--all'], environment)
  expect(text).toEqual({ code: 0, stdout: 'Purged 0 entries.\n', stderr: '' })
})

it('purges many keys in several records', async () => {
  const keys = Array.from({ length: 1100 }, (_, id) => `${prefix}${userKeys}${1000 + id}`)
  await redis.mset(Object.fromEntries(keys.map((key) => [key, 'junk'])))
  const before = Number((await currentToken(database.url)).split('.')[0])
  expect((await run('cache', 'purge', '--pattern', `${userKeys.slice('1:'.length)}????`)).result).toEqual({
    purged: 1100,
    complete: true,
  })
  const sizes = await queryOnce(
    database.url,
    'select cardinality(tags) as size from stet.log where position > $1 order by position',
    [before],
  )
  expect(sizes.map(({ size }) => size)).toEqual([501, 501, 101])
})

it('takes what is special in a pattern as it is where it begins every key', async () => {
  const odd = { ...environment, REDIS_KEY_PREFIX: `${prefix}[a]*:` }
  await redis.set(`${prefix}[a]*:1:user.1:1`, 'junk')
  await redis.set(`${prefix}ab:1:user.1:1`, 'junk')
  const { stdout } = await runStet(['cache', 'purge', '--all', '--json'], odd)
  expect(JSON.parse(stdout)).toEqual({ purged: 1, complete: true })
  expect(await keysInRedis()).toEqual(['ab:1:user.1:1'])
})

it('counts what Redis holds, and how much of it stands', async () => {
  await fill()
  await redis.set(`${prefix}${userKeys}9`, 'junk')
  await redis.set(`${prefix}1:gone.1:9`, 'junk')
  await queryOnce(database.url, `update users set bio = 'Newer.' where id = 2`)
  const { code, result } = await run('cache', 'stats')
  expect([code, result]).toEqual([
    0,
    {
      kinds: expect.objectContaining({
        user: { entries: 3, bytes: expect.any(Number), standing: 1, stale: 0, dead: 0, fallen: 1, unreadable: 1 },
        article: { entries: 2, bytes: expect.any(Number), standing: 2, stale: 0, dead: 0, fallen: 0, unreadable: 0 },
        '(other)': expect.objectContaining({ entries: 1, unreadable: 1 }),
      }),
      complete: true,
      log: { position: expect.any(Number), epoch: node.ledger.epoch, records: expect.any(Number) },
      redis: { usedMemoryBytes: expect.any(Number), maxMemoryBytes: expect.any(Number) },
    },
  ])
  expect((await run('cache', 'stats', '--limit', '2')).result.complete).toBe(false)
  const text = await runStet(['cache', 'stats'], environment)
  expect([text.code, text.stderr]).toEqual([0, ''])
  expect(text.stdout).toMatch(/^user +3 +\d+ +1 +0 +0 +1 +1$/m)
})

it('verifies what Redis holds, and names what is wrong', async () => {
  await fill()
  await queryOnce(database.url, `update users set bio = 'Newest.' where id = 2`)
  const fine = await run('cache', 'verify')
  expect([fine.code, fine.result]).toMatchObject([0, { wrong: 0, fallen: 2, wrongKeys: [], complete: true }])
  expect(fine.result.right).toBeGreaterThan(3)
  await behindTheLog(`update users set bio = 'Nobody was told.' where id = 1`)
  const wrong = await run('cache', 'verify')
  expect([wrong.code, wrong.result]).toMatchObject([1, { wrong: 1, wrongKeys: [`${prefix}${userKeys}1`] }])
  const text = await runStet(['cache', 'verify'], environment)
  expect([text.code, text.stderr]).toEqual([1, ''])
  expect(text.stdout).toMatch(/^wrong: .*:user\.[\w-]+:1\n\d+ right, 1 wrong, 2 fallen, /)
  expect((await run('cache', 'verify', '--limit', '1')).result).toMatchObject({ complete: false })
})

it('warms by sending queries', async () => {
  const file = await write(
    'queries.graphql',
    `query Article { article(slug: "published") { ...A } } query Users { users { nodes { username } } }
     fragment A on Article { title author { username } }`,
  )
  const { code, result } = await run('cache', 'warm', '--queries', file, '--url', `${node.url}/graphql`)
  expect([code, result]).toEqual([0, { warmed: 2, skipped: 0, failed: [] }])
  await node.flush()
  const kinds = (await keysInRedis()).map((key) => key.split('.')[0])
  expect(kinds).toEqual(expect.arrayContaining(['1:article', '1:user', '1:user-list']))
})

it('warms by queries with variables, as whoever the token says', async () => {
  const queries = [{ query: 'query ($s: String) { article(slug: $s) { id } }', variables: { s: 'published' } }]
  const file = await write('queries.json', JSON.stringify(queries))
  const args = ['cache', 'warm', '--queries', file, '--url', node.url, '--token']
  expect(await run(...args, await testToken('author', ANN))).toMatchObject({ code: 0, result: { warmed: 1 } })
  const refused = await runStet([...args, 'hunter2'], environment)
  expect([refused.code, refused.stdout]).toEqual([1, 'Warmed 0 queries; 1 failed: see above.\n'])
  expect(refused.stderr).toMatch(/queries\.json\[0\]: The bearer token is not valid/)
  expect(refused.stderr).not.toContain('hunter2')
})

it('tells neither user nor password of the URL that it sends queries to', async () => {
  const file = await write('one.graphql', '{ tags { totalCount } }')
  const url = node.url.replace('//', '//zoe:hunter2@')
  const { code, stdout, stderr } = await runStet(['cache', 'warm', '--queries', file, '--url', url], environment)
  expect([code, stdout]).toEqual([1, 'Warmed 0 queries; 1 failed: see above.\n'])
  expect(stderr).toContain('(secret)@127.0.0.1')
  expect(stderr).not.toMatch(/zoe|hunter2/)
})

it('lists the queries that failed, with exit code 1', async () => {
  const file = await write(
    'some.graphql',
    'query Good { tags { totalCount } } query Bad { tags(first: 0) { totalCount } }',
  )
  const { code, result } = await run('cache', 'warm', '--queries', file, '--url', node.url, '--concurrency', '1')
  const failed = [{ what: 'Bad', message: 'first must be from 1 to 100, not 0.' }]
  expect([code, result]).toEqual([1, { warmed: 1, skipped: 0, failed }])
  const gone = await run('cache', 'warm', '--queries', file, '--url', 'http://127.0.0.1:9')
  expect([gone.code, gone.result]).toMatchObject([1, { warmed: 0, failed: [{ what: 'Good' }, { what: 'Bad' }] }])
  const notGraphQL = await run('cache', 'warm', '--queries', file, '--url', `${node.url}/healthz`)
  expect(notGraphQL).toMatchObject({ code: 1, result: { warmed: 0 } })
})

it.each([
  ['a mutation', 'm.graphql', 'mutation { deleteTag(id: 1) { deletedId } }', 'only queries warm a cache'],
  ['no GraphQL', 'b.graphql', 'query {', 'is not GraphQL: Syntax Error'],
  ['several queries without names', 'n.graphql', 'query { a } query B { b }', 'each needs a name'],
  ['no JSON', 'b.json', '[', 'is not JSON'],
  ['other JSON', 'o.json', '[{ "q": 1 }]', 'must be an object with "query"'],
  ['a mutation in JSON', 'm.json', '[{ "query": "mutation { a }" }]', 'only queries warm a cache'],
  ['nothing', 'e.json', '[]', 'holds no query'],
])('refuses to send %s', async (_what, name, text, message) => {
  const args = ['cache', 'warm', '--queries', await write(name, text), '--url', node.url]
  const { code, stdout, stderr } = await runStet(args, environment)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
})

it('warms what nodes remember as their hottest entries, the hottest first', async () => {
  await redis.set(`${prefix}hot:a`, '[["article","1",5],["user","1",60],["user","2",50]]')
  await redis.set(`${prefix}hot:b`, '[["article","1",56],["article-html","hash",1],"junk"]')
  await redis.set(`${prefix}hot:c`, '{')
  const first = await run('cache', 'warm', '--limit', '2')
  expect([first.code, first.result]).toEqual([0, { warmed: 2, skipped: 0, failed: [] }])
  expect(entriesOf(await keysInRedis())).toEqual([`${articleKeys}1`, `${userKeys}1`])
  const all = await runStet(['cache', 'warm'], environment)
  expect([all.code, all.stdout]).toEqual([0, "Warmed 3 entries; 1 skipped, which can't be loaded by their keys.\n"])
  expect(entriesOf(await keysInRedis())).toEqual([`${articleKeys}1`, `${userKeys}1`, `${userKeys}2`])
  // And what is there is good for a node that begins cold.
  const article = { slug: 'published', author: { username: 'ann' } }
  expect(await node.visitor.get('{ article(slug: "published") { slug author { username } } }')).toEqual({ article })
})

it('lists the entries that it could not load, with exit code 1', async () => {
  await redis.set(`${prefix}hot:a`, '[["article","1",9],["article","oops",8],["article-list","oops",7]]')
  const { code, result } = await run('cache', 'warm')
  expect([code, result]).toMatchObject([
    1,
    { warmed: 1, skipped: 0, failed: [{ what: 'article oops' }, { what: 'article-list oops' }] },
  ])
  expect(entriesOf(await keysInRedis())).toEqual([`${articleKeys}1`])
})

it('says that nobody remembers anything hot', async () => {
  const { code, stdout } = await runStet(['cache', 'warm'], environment)
  expect([code, stdout]).toEqual([0, 'No node remembers hot entries in Redis.\n'])
})

it('fails to warm a Redis that takes nothing', async () => {
  const full = await startRedis()
  const client = new Redis(full.url)
  await client.set('stet:hot:a', '[["article","1",1]]')
  await client.config('SET', 'maxmemory', '1')
  const { code, stdout, stderr } = await runStet(['cache', 'warm'], { DATABASE_URL: database.url, REDIS_URL: full.url })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^stet: Redis did not take all of it: OOM .*\n$/)
  client.disconnect()
  await full.stop()
})

/** What a command prints as JSON, and its exit code. Whatever it prints, nothing but that is on standard output. */
async function run(...args: string[]): Promise<{ code: unknown; result: Record<string, unknown> }> {
  const { code, stdout, stderr } = await runStet([...args, '--json'], environment)
  expect([stderr, stdout]).toEqual(['', expect.stringMatching(/^\{.*\}\n$/)])
  return { code, result: JSON.parse(stdout) }
}

/** Has a few entries of several kinds in Redis: two users, two articles, a list. */
async function fill(): Promise<void> {
  await node.visitor.get('{ articles { totalCount nodes { title author { username } } } }')
  await node.flush()
}

async function titleOn({ visitor }: TestNode, token = ''): Promise<unknown> {
  const query = '{ article(slug: "published") { title } }'
  const { article } = await visitor.get<{ article: { title: string } }>(query, {}, { 'stet-as-of': token })
  return article.title
}

/** A write that no trigger tells of, as nobody should make one. */
async function behindTheLog(statement: string): Promise<void> {
  await queryOnce(
    database.url,
    `begin; ${statement}; delete from stet.pending where xact = pg_current_xact_id(); commit`,
  )
}

async function lastRecord(): Promise<unknown> {
  const [row] = await queryOnce(database.url, 'select tags from stet.log order by position desc limit 1')
  return row?.tags
}

/** What this test has in Redis, without its prefix. */
async function keysInRedis(): Promise<string[]> {
  const keys: string[] = []
  for await (const found of redis.scanStream({ match: `${prefix}*`, count: 1000 })) keys.push(...found)
  return keys.map((key) => key.slice(prefix.length)).sort()
}

const entriesOf = (keys: readonly string[]): string[] => keys.filter((key) => !key.startsWith('hot:'))

async function write(name: string, text: string): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}
