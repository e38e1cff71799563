import { expect, it } from '@jest/globals'
import {
  createRedisPrefix,
  currentToken,
  queryOnce,
  readMetrics,
  sharedServers,
  startTestNode,
  type TestNode,
} from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

const database = await useDatabase()
const environment = { LOG_BEAT_MS: '60000' }
const node = await useNode({ database, environment })
/** With a memory of its own, and no beat to save it. */
const other = await useNode({ database, environment })
await addContent(database.url)
await Promise.all([node.catchUp(), other.catchUp()])

const MUTATION = `mutation ($tags: [String!]!, $mode: InvalidationMode) {
  invalidateCache(tags: $tags, mode: $mode) { position tags }
}`

it('is for admins', async () => {
  const ann = await node.author(ANN)
  for (const [client, code] of [
    [node.visitor, 'UNAUTHENTICATED'],
    [ann, 'FORBIDDEN'],
  ] as const) {
    const before = await countRecords()
    const { data, errors } = await client.send(MUTATION, { tags: ['articles'] })
    expect([data, errors]).toMatchObject([{ invalidateCache: null }, [{ extensions: { code } }]])
    expect(await countRecords()).toBe(before)
  }
})

it.each([
  ['a row', 'articles:1', ['article']],
  ['a value of a column', 'articles:slug=published', ['article-by-slug']],
  ['a field', 'articles:title', ['article-list']],
  ['the rows of a table', 'articles:status=PUBLISHED', ['article-list']],
  ['a whole table', 'articles', ['article', 'article-by-slug', 'article-list']],
  ['another table', 'users', ['user']],
])('has what depends on %s loaded anew, on every node: %s', async (_what, tag, kinds) => {
  const { position } = await invalidate(['articles', 'users'])
  for (const each of [node, other]) await each.visitor.get(QUERY, {}, { 'stet-as-of': position })
  const before = [await countLoads(node), await countLoads(other)]
  const again = await invalidate([tag, tag])
  expect(again.tags).toEqual([tag])
  for (const [index, each] of [node, other].entries()) {
    await each.visitor.get(QUERY, {}, { 'stet-as-of': again.position })
    const loads = await countLoads(each)
    expect(new Set(Object.keys(loads).filter((kind) => loads[kind] !== before[index]?.[kind]))).toEqual(
      new Set([...kinds, 'response']),
    )
  }
})

it('has what Redis holds loaded anew too, by the first who asks', async () => {
  const shared = { databaseUrl: database.url, redisUrl: sharedServers().redisUrl, redisPrefix: createRedisPrefix() }
  const nodes = [await startTestNode(shared), await startTestNode(shared)]
  const loaded: (number | undefined)[] = []
  let { position } = await invalidate(['users'])
  for (let round = 0; round < 2; round++) {
    for (const each of nodes) {
      each.cache.clearMemory()
      await each.visitor.get('{ article(slug: "published") { title } }', {}, { 'stet-as-of': position })
      await each.flush()
      loaded.push((await countLoads(each)).article)
    }
    position = (await invalidate(['articles:1'])).position
  }
  expect(loaded).toEqual([1, undefined, 2, undefined])
  await Promise.all(nodes.map((each) => each.close()))
})

it('says a position that covers the invalidation', async () => {
  const { position } = await invalidate(['articles:1'])
  expect(position).toBe(await currentToken(database.url))
})

it('writes to the log as it is, or softly', async () => {
  await invalidate(['articles:1', 'users'])
  expect(await lastRecord()).toEqual(['articles:1', 'users'])
  await invalidate(['articles:1', 'users'], 'SOFT')
  expect(await lastRecord()).toEqual(['~articles:1', '~users'])
  await invalidate(['articles:1'], null)
  expect(await lastRecord()).toEqual(['articles:1'])
})

it.each([
  ['none', [], 'tags must be 1 to 1000, not 0.'],
  ['too many', Array.from({ length: 1001 }, (_, id) => `articles:${id}`), 'tags must be 1 to 1000, not 1001.'],
  ['an empty one', ['articles', ''], 'tags must have 1 to 1000 characters each; "" has 0.'],
  ['one too long', [`articles:${'x'.repeat(1000)}`], 'has 1009.'],
  ['a control character', ['articles:1\n'], 'tags must have no control characters; "articles:1\\n" has.'],
  ['U+0000', ['articles:\0'], 'tags holds U+0000'],
  ['half a surrogate pair', ['articles:\ud83e'], 'half a surrogate pair'],
  ['a soft one', ['~articles'], `tags must not begin with "~", as "~articles" does: that is what SOFT is for.`],
  [
    'a typo',
    ['articles:1', 'artcles:42'],
    'tags must be of watched tables (article_stats, article_tags, articles, tags, users); "artcles:42" is of none.',
  ],
  ['a table that is not watched', ['stet_migrations'], 'tags must be of watched tables'],
  ['a row of nothing', [':1'], 'tags must be of watched tables'],
])('refuses %s', async (_what, tags, message) => {
  const before = await countRecords()
  const { data, errors } = await node.admin.send(MUTATION, { tags })
  expect(data).toEqual({ invalidateCache: null })
  expect(errors).toMatchObject([
    { message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT', field: 'tags' } },
  ])
  expect(await countRecords()).toBe(before)
})

it('takes the longest tags and as many as it says', async () => {
  const tags = Array.from({ length: 1000 }, (_, id) => `articles:${String(id).padStart(991, '0')}`)
  expect((await invalidate(tags)).tags).toEqual(tags)
})

it('knows tables with partitions by their name, and the partitions by none', async () => {
  await queryOnce(
    database.url,
    `create table events (id bigint not null, day date not null) partition by range (day);
     create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
     select stet.watch('events', 'id')`,
  )
  await invalidate(['events:1'])
  const { errors } = await node.admin.send(MUTATION, { tags: ['events_2026:1'] })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  await queryOnce(database.url, 'drop table events')
})

it('leaves the other mutations of its request alone where it fails', async () => {
  const { data, errors } = await node.admin.send(`mutation {
    a: invalidateCache(tags: ["nowhere"]) { tags }
    b: updateArticle(input: { id: "${ids.published}", summary: "Brief." }) { article { summary } }
    c: invalidateCache(tags: ["articles"]) { tags }
  }`)
  expect(errors).toHaveLength(1)
  expect(data).toEqual({
    a: null,
    b: { article: { summary: 'Brief.' } },
    c: { tags: ['articles'] },
  })
})

const QUERY = '{ article(slug: "published") { title author { username } } articles(orderBy: TITLE) { nodes { id } } }'

async function invalidate(tags: readonly string[], mode?: 'HARD' | 'SOFT' | null) {
  const data = await node.admin.get<{ invalidateCache: { position: string; tags: string[] } }>(MUTATION, { tags, mode })
  return data.invalidateCache
}

/** How often a node has loaded entries of each kind, by its own metrics. */
async function countLoads({ url }: TestNode): Promise<Record<string, number>> {
  const text = await readMetrics(url)
  const counts = [...text.matchAll(/^stet_cache_load_seconds_count\{kind="([a-z-]+)"\} (\d+)/gm)]
  return Object.fromEntries(counts.map(([, kind, count]) => [kind, Number(count)]).sort())
}

async function lastRecord(): Promise<unknown> {
  const [row] = await queryOnce(database.url, 'select tags from stet.log order by position desc limit 1')
  return row?.tags
}

async function countRecords(): Promise<unknown> {
  const [row] = await queryOnce(database.url, 'select tip from stet.sequence()')
  return row?.tip
}
