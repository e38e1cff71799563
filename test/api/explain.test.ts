import { beforeEach, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Explanation } from '../../src/answers/explanation.ts'
import { Trace } from '../../src/answers/trace.ts'
import {
  type Answer,
  createRedisPrefix,
  eventually,
  GraphQLClient,
  queryOnce,
  sharedServers,
  startFaultProxy,
  startTestNode,
  type TestNode,
  type TestNodeOptions,
  testToken,
} from '../harness/index.ts'
import { use, useDatabase, useRedis, useRedisClient } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

const prefix = createRedisPrefix()

const database = await useDatabase()
const redis = useRedisClient()
const node = use(await start({ redisPrefix: prefix }), (started) => started.close())
await addContent(database.url)
// Else the first answer is overtaken by it.
await node.catchUp()

/** Nothing is at hand, anywhere. */
beforeEach(forgetAll)

async function forgetAll(): Promise<void> {
  await node.flush()
  node.cache.clearMemory()
  for await (const keys of redis.scanStream({ match: `${prefix}*` })) if (keys.length > 0) await redis.unlink(keys)
}

const LIST = '{ articles { nodes { title author { username } } } }'
const TAGS = '{ tags { nodes { name } } }'

it.each(['visitor', 'author'])('answers a %s who asks for it as ever, and keeps that answer', async (who) => {
  const client = who === 'visitor' ? node.visitor : await node.author(ANN)
  const plain = await client.send(LIST)
  // From the second time on that it is asked for, an answer is kept.
  await client.send(LIST)
  const asking = await client.send(LIST, {}, EXPLAIN)
  const bearer = who === 'visitor' ? undefined : await testToken('author', ANN)
  expect(await textOf(LIST, bearer)).toBe(await textOf(LIST, bearer, {}))
  expect(await textOf(LIST, bearer)).not.toContain('extensions')
  expect(asking.data).toEqual(plain.data)
  expect(asking.headers.get('cache-status')).toMatch(/^stet; hit; ttl=\d+; detail=memory$/)
})

it.each(['0', '', 'yes'])('explains nothing where the header is "%s"', async (value) => {
  const answer = await textOf(TAGS, await testToken('admin'), { 'stet-explain': value })
  expect(JSON.parse(answer)).toEqual({ data: expect.anything() })
})

it('explains to everyone in demo mode', async () => {
  const demo = await start({ environment: { AUTH_JWT_SECRET: '' } })
  try {
    const { data, stet } = await explain(TAGS, { client: new GraphQLClient(demo.url) })
    expect(data).toEqual({ tags: { nodes: [{ name: 'Cats' }, { name: 'Dogs' }] } })
    expect(stet.answer).toMatchObject({ sharedBy: 'visitors', kept: { kept: true } })
  } finally {
    await demo.close()
  }
})

it('says of an answer that is not at hand what made it, and how long it would live', async () => {
  const { stet, headers } = await explain(LIST)
  expect(headers.get('cache-control')).toBe('private, no-store')
  const { answer, entries, sql, redis, waitedFor, snapshot, log } = stet
  expect(answer).toMatchObject({
    operation: 'query',
    policy: { maxAge: 60, scope: 'PUBLIC', decidedBy: { maxAge: 'Query.articles', scope: null } },
    sharedBy: 'viewer',
    found: { in: 'nowhere', because: 'No tier holds it.' },
    kept: {
      kept: true,
      why: 'kept',
      because: expect.stringMatching(/^It lives for [\d.]+ s at most, as the article-list in it does\.$/),
    },
    tags: expect.arrayContaining(['responses', 'articles', 'articles:*', 'articles:1', 'users:1']),
  })
  expect(answer.kept.ttlMs).toBeGreaterThan(50_000)
  expect(answer.kept.ttlMs).toBeLessThanOrEqual(60_000)
  expect(answer.found.held.map(({ tier, standing }) => [tier, standing])).toEqual([
    ['memory', 'absent'],
    ['redis', 'absent'],
  ])
  expect(entries.map(({ kind, tier }) => `${kind} ${tier}`)).toEqual([
    'article-list source',
    ...Array(4).fill('article source'),
    ...Array(2).fill('user source'),
  ])
  const user = entries.find(({ key }) => key === node.cache.find('user')?.keyOf('1'))
  expect(user).toMatchObject({
    why: 'No tier held it.',
    stale: null,
    exists: true,
    asOf: node.ledger.seen,
    tags: ['users:1', 'users'],
  })
  expect(user?.ttlMs).toBeGreaterThan(500_000)
  expect(sql.map(({ on }) => on)).toEqual(['primary', 'primary', 'primary'])
  expect(sql.at(-1)?.text).toMatch(/^select .* from "users" where "id" = any\(\$1\)/)
  expect(redis.map(({ entries }) => entries)).toEqual([1, 4, 2])
  expect(waitedFor).toEqual({ otherRequests: 0, otherNodes: 0 })
  expect(snapshot).toEqual({ position: log.position, made: 1 })
  expect(log).toMatchObject({ position: node.ledger.seen, epoch: node.ledger.epoch, floor: 0, asked: null })
})

it('takes the whole answer from nowhere, keeps it nowhere, and says where it is', async () => {
  const { stet } = await explain(TAGS)
  expect(stet.answer.found.in).toBe('nowhere')
  expect((await node.admin.send(TAGS)).headers.get('cache-status')).toBe('stet; hit; detail=entries; stored')
  await node.flush()

  const [atHand, again] = [await explain(TAGS), await explain(TAGS)]
  expect(atHand.headers.get('x-cache')).toBe('HIT')
  expect(atHand.stet.sql).toEqual([])
  expect(atHand.stet.answer.found).toMatchObject({ in: 'memory', because: expect.stringContaining('Nothing') })
  expect(again.stet.answer.found.held).toMatchObject([
    { tier: 'memory', standing: 'standing', tags: expect.arrayContaining(['responses', 'tags:*']) },
    { tier: 'redis', standing: 'standing' },
  ])

  node.cache.clearMemory()
  const fromRedis = await explain(TAGS)
  expect(fromRedis.stet.answer.found).toMatchObject({
    in: 'redis',
    held: [{ standing: 'absent' }, { standing: 'standing' }],
  })
  expect(fromRedis.stet.entries[0]).toMatchObject({
    tier: 'redis',
    why: 'Redis held it, and it stands. Memory did not.',
  })
  // To look at it did not bring it here.
  expect((await explain(TAGS)).stet.answer.found.in).toBe('redis')
  expect((await node.admin.send(TAGS)).headers.get('cache-status')).toMatch(/detail=redis$/)
})

it('names the tag and the record that felled the whole answer, and each entry', async () => {
  for (let n = 0; n < 2; n++) await node.admin.get(LIST)
  await node.flush()
  const before = node.ledger.seen
  await write(`update articles set title = 'Renamed' where id = 1`)
  node.cache.clearMemory()
  const { stet } = await explain(LIST)
  const by = { position: before + 1, tags: ['articles:1'] }
  const why = `articles:1 was written at ${by.position}, and it is as of ${before}.`
  expect(stet.answer.found).toMatchObject({ in: 'nowhere', because: why })
  expect(stet.answer.found.held).toMatchObject([{ standing: 'absent' }, { standing: 'fallen', why, by, asOf: before }])
  const article = stet.entries.find(({ tags }) => tags.includes('articles:1'))
  expect(article).toMatchObject({ tier: 'source', why: `Redis held an older one. ${why}`, by, asOf: by.position })
})

it('says of what memory held why it did not serve', async () => {
  await explain('{ user(username: "ann") { bio } }')
  const position = await write(`update users set bio = 'New.' where id = 1`)
  const { stet } = await explain('{ user(username: "ann") { bio } }')
  expect(stet.entries.find(({ kind }) => kind === 'user')).toMatchObject({
    why: expect.stringMatching(/^(Memory|Redis) held an older one\. users:1 was written at/),
    by: { position, tags: ['users:1'] },
  })
})

it('says what is stale, and by which record it was softened', async () => {
  await node.admin.get(TAGS)
  await node.flush()
  await node.admin.get('mutation { invalidateCache(tags: ["tags:1"], mode: SOFT) { position } }')
  const { stet } = await explain(TAGS)
  const by = { position: node.ledger.seen, tags: ['tags:1'] }
  expect(stet.answer.found).toMatchObject({ in: 'memory', because: expect.stringContaining('softly') })
  expect(stet.answer.found.held[0]).toMatchObject({ standing: 'stale', by })
  expect(stet.entries.filter(({ stale }) => stale)).toMatchObject([
    {
      kind: 'tag',
      stale: 'softened',
      by,
      why: expect.stringMatching(/being refreshed\. tags:1 was written softly at \d+/),
    },
  ])
  expect(stet.answer.kept).toMatchObject({
    kept: false,
    why: 'stale-parts',
    because: expect.stringContaining('1 of its'),
  })

  await node.admin.get('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
  const knows = await explain(TAGS, { headers: { 'stet-as-of': token() } })
  expect(knows.stet.log.asked).toBe(token())
  expect(knows.stet.answer.found).toMatchObject({
    in: 'nowhere',
    because: expect.stringContaining('is owed something newer'),
  })
})

it.each([
  ['a mutation', 'mutation { recordView(articleId: "%") }', 'mutation', 'A mutation is run each time.'],
  [
    'what is for one viewer',
    '{ viewer { id } }',
    'kept',
    expect.stringMatching(/^It lives for 600 s at most, as Query\.viewer does\.$/),
  ],
  ['an error', '{ tags(first: 0) { totalCount } }', 'errors', 'Something in it could not be resolved.'],
  ['no operation', '{ nothingLikeIt }', 'max-age-0', expect.stringMatching(/^Query\.nothingLikeIt has a maxAge of 0/)],
  ['no GraphQL', '{', 'no-operation', expect.anything()],
])('says in a word why %s is kept or not', async (_what, query, why, because) => {
  const { stet } = await explain(query.replace('%', ids.published))
  expect(stet.answer.kept).toEqual({ kept: why === 'kept', why, because, ttlMs: expect.any(Number) })
})

it('names the field that makes an answer private', async () => {
  const { stet } = await explain('{ users { nodes { username email } } }')
  expect(stet.answer).toMatchObject({
    policy: { maxAge: 60, scope: 'PRIVATE', decidedBy: { maxAge: 'Query.users', scope: 'User.email' } },
    sharedBy: 'viewer',
    kept: { kept: true },
  })
  const first = await explain('{ viewer { email } }')
  expect(first.stet.answer.policy?.decidedBy.scope).toBe('Query.viewer')
})

it('says where all who are signed in share an answer', async () => {
  await node.admin.get(TAGS)
  const author = await node.author(ANN)
  await author.get(TAGS)
  const { stet } = await explain(TAGS)
  expect(stet.answer).toMatchObject({
    sharedBy: 'signed-in',
    key: expect.stringMatching(/\.signed-in$/),
    found: { in: 'memory' },
  })
})

it('says that whole answers are not kept at all', async () => {
  const other = await start({ environment: { CACHE_RESPONSES: 'off' } })
  try {
    const { stet } = await explain(TAGS, { client: other.admin })
    expect(stet.answer).toMatchObject({ key: null, found: { in: 'nowhere', held: [] }, kept: { why: 'responses-off' } })
  } finally {
    await other.close()
  }
})

it('says that an answer is too large to be kept', async () => {
  const other = await start({ environment: { CACHE_MAX_ENTRY_BYTES: '1000' } })
  try {
    expect((await explain(LIST, { client: other.admin })).stet.answer.kept).toMatchObject({
      kept: false,
      why: 'too-large',
    })
    expect((await other.admin.send(LIST)).headers.get('cache-status')).not.toContain('memory')
    expect((await other.admin.send(LIST)).headers.get('cache-status')).not.toContain('memory')
  } finally {
    await other.close()
  }
})

it('says that an answer was made again, because what it read was never there at once', async () => {
  const { data, stet } = await explainAcross((writer) =>
    writer.query(
      `update articles set title = 'Made again' where id = 1; update tags set name = 'Kittens' where id = 1; commit`,
    ),
  )
  expect(data).toMatchObject({
    article: { title: 'Made again' },
    tags: { nodes: [{ name: 'Dogs' }, { name: 'Kittens' }] },
  })
  expect(stet.snapshot.made).toBeGreaterThan(1)
  expect(stet.snapshot.position).toBe(stet.log.position)
  await queryOnce(
    database.url,
    `update tags set name = 'Cats' where id = 1; update articles set title = 'Published' where id = 1`,
  )
  await node.catchUp()
})

it('says that a write overtook the answer', async () => {
  const { stet } = await explainAcross(async (writer) => {
    // The article was read before, and no tag is changed: together they are what there was before this write.
    await queryOnce(database.url, `update articles set summary = 'overtaking' where id = 1`)
    await node.catchUp()
    await writer.query('commit')
  })
  expect(stet.answer.kept).toMatchObject({ kept: false, why: 'overtaken' })
})

it('says that nobody knows what was written while the log is silent', async () => {
  const { hostname, port } = new URL(database.url)
  const postgres = await startFaultProxy({ host: hostname, port: Number(port) })
  const other = await start({ databaseUrl: postgres.through(database.url) })
  try {
    for (let n = 0; n < 2; n++) await other.admin.get(TAGS)
    await postgres.cut()
    const stet = await eventually(async () => {
      const explained = await explain(TAGS, { client: other.admin })
      return !explained.stet.answer.kept.kept && explained.stet
    })
    expect(stet.answer).toMatchObject({ found: { in: 'memory' }, kept: { kept: false, why: 'log-silent' } })
    expect(stet.log.unsureForMs).toBeGreaterThan(300)
  } finally {
    await other.close()
    await postgres.close()
  }
})

it('says so where Redis could not be reached', async () => {
  const { hostname, port } = new URL(sharedServers().redisUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  const other = await start({ redisUrl: proxy.through(sharedServers().redisUrl) })
  try {
    await proxy.cut()
    const { stet } = await explain(TAGS, { client: other.admin })
    expect(stet.answer.found.held).toMatchObject([{ standing: 'absent' }, { tier: 'redis', standing: 'unreachable' }])
    expect(stet.answer.kept.kept).toBe(true)
  } finally {
    await other.close()
    await proxy.close()
  }
})

it('reads through to the database where that is asked for, and says so', async () => {
  await node.admin.get(TAGS)
  const { stet, headers } = await explain(TAGS, { headers: { 'cache-control': 'no-cache' } })
  const because = 'The request said Cache-Control: no-cache or max-age=0.'
  expect(headers.get('x-cache')).toBe('BYPASS')
  expect(stet.answer.found).toMatchObject({ in: 'nowhere', because, held: [{ standing: 'standing' }, {}] })
  expect(new Set(stet.entries.map(({ tier, why }) => `${tier}: ${why}`))).toEqual(new Set([`source: ${because}`]))
})

it('shows no value that was sent', async () => {
  const { stet } = await explain('{ articles(filter: { search: "zebra", author: "okapi" }) { totalCount } }')
  expect(stet.sql.length).toBeGreaterThan(0)
  expect(JSON.stringify(stet.sql)).not.toMatch(/zebra|okapi/)
})

it('keeps apart what several requests do at once, and watches nobody afterwards', async () => {
  const [articles, tags] = await Promise.all([explain(LIST), explain(TAGS)])
  expect(articles.stet.sql.map(tableOf)).toEqual(['articles', 'articles', 'users'])
  expect(tags.stet.sql.map(tableOf)).toEqual(['tags', 'tags'])
  expect(Trace.current).toBeUndefined()
})

it('tells of its own statements, whoever asks at the same moment', async () => {
  const others = ['{ users { totalCount } }', '{ articles(orderBy: TITLE) { totalCount } }']
  for (const at of [0, 1, 2]) {
    await forgetAll()
    const all = [...others.slice(0, at).map((query) => node.visitor.get(query)), explain(TAGS)]
    const rest = others.slice(at).map((query) => node.visitor.get(query))
    const explained = (await Promise.all(all)).at(-1) as Awaited<ReturnType<typeof explain>>
    await Promise.all(rest)
    expect(explained.stet.sql.map(tableOf)).toEqual(['tags', 'tags'])
  }
})

it('tells of each statement once, however many requests wait for it', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => explain(LIST)))
  expect(all.flatMap(({ stet }) => stet.sql.map(tableOf)).sort()).toEqual(['articles', 'articles', 'users'])
})

it('shows the statements of a mutation', async () => {
  const { data, stet } = await explain(
    `mutation { updateTag(input: { id: "${ids.cats}", description: "Furry." }) { tag { id } } }`,
  )
  expect(data).toEqual({ updateTag: { tag: { id: ids.cats } } })
  // The record of the change is written by the same statement.
  expect(stet.sql).toEqual([
    expect.objectContaining({ text: expect.stringMatching(/^with .*update "tags".*insert into audit/s) }),
  ])
  expect(JSON.stringify(stet.sql)).not.toContain('Furry')
  expect(stet.log.position).toBe(node.ledger.seen)
})

it('explains an answer that was refused', async () => {
  const { status, stet } = await explain('{ articles(first: 1) { nodes { nothing } } }')
  expect(status).toBe(200)
  expect(stet).toMatchObject({ entries: [], answer: { kept: { kept: false } } })
})

/** Explains an answer that has read an article, and waits for the tags until `write` has committed the transaction that locks them. */
async function explainAcross(write: (writer: pg.Client) => Promise<unknown>) {
  const article = `article(id: "${ids.published}") { title }`
  await explain(`{ ${article} }`)
  const writer = new pg.Client({ connectionString: database.url })
  await writer.connect()
  await writer.query('begin; lock table tags')
  const explaining = explain(`{ ${article} tags { nodes { name } } }`)
  await eventually(async () => {
    const waiting = `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`
    return (await queryOnce(database.url, waiting, [database.name])).length > 0
  })
  await write(writer)
  await writer.end()
  return explaining
}

/** An answer with its explanation, taken out. */
async function explain(
  query: string,
  { client = node.admin, headers = {} }: { client?: GraphQLClient; headers?: Record<string, string> } = {},
): Promise<Answer<Record<string, unknown>> & { readonly stet: Explanation }> {
  const answer = await client.send(query, {}, { ...EXPLAIN, ...headers })
  const { stet } = answer.extensions as { stet: Explanation }
  return { ...answer, stet }
}

/** A body, letter for letter. */
async function textOf(
  query: string,
  bearer: string | undefined,
  headers: Record<string, string> = EXPLAIN,
): Promise<string> {
  const authorization = bearer && { authorization: `Bearer ${bearer}` }
  const response = await fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization, ...headers },
    body: JSON.stringify({ query }),
  })
  return response.text()
}

/** Writes as `psql` would, and waits until the node has heard of it. */
async function write(statement: string): Promise<number> {
  const before = node.ledger.seen
  await queryOnce(database.url, statement)
  await eventually(() => node.ledger.seen > before)
  return before + 1
}

function start(options: Partial<TestNodeOptions> = {}): Promise<TestNode> {
  return startTestNode({
    databaseUrl: database.url,
    ...useRedis(),
    ...options,
    // Statements are counted, and what is looked up must have arrived.
    environment: {
      CACHE_EARLY_REFRESH: '0',
      WORKER: 'off',
      CACHE_SECRET: 'so that admins find their answers in Redis',
      ...options.environment,
    },
  })
}

const token = (): string => `${node.ledger.seen}.${node.ledger.epoch}`

const tableOf = ({ text }: { readonly text: string }): string => / from \(*.* from "?(\w+)/.exec(text)?.[1] ?? text

const EXPLAIN = { 'stet-explain': '1' }
