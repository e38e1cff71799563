import { beforeEach, expect, it } from '@jest/globals'
import { decodeEntry, type Entry } from '../../src/cache/index.ts'
import { encodeEntry } from '../../src/cache/remote/envelope.ts'
import { addContent, ids } from '../api/add-content.ts'
import { emptyContent, type TestNode } from '../harness/index.ts'
import { readMetric } from '../harness/read-metric.ts'
import { useDatabase, useNode, useRedis, useRedisClient } from '../harness/use.ts'

/** Whoever can write to Redis, and has no secret: what they leave there lasts no longer than what a node left. */
const database = await useDatabase()
const redis = useRedis()
const client = useRedisClient()
const environment = { WORKER: 'off', CACHE_TTL_ARTICLE: '100', CACHE_TTL_JITTER: '0' }
const nodes = [
  await useNode({ database, redis, environment }),
  await useNode({ database, redis, environment }),
] as const
const [writer, reader] = nodes

const ONE = `{ article(id: "${ids.published}") { title author { displayName } } }`
const TRUE_ONE = { article: { title: 'Published', author: { displayName: 'Ann' } } }

beforeEach(async () => {
  for (const node of nodes) await node.flush()
  await emptyContent(database.url)
  await addContent(database.url)
  for (const key of await client.keys(`${redis.redisPrefix}*`)) await client.del(key)
  for (const node of nodes) {
    await node.catchUp()
    node.cache.clearMemory()
  }
})

/** Stores what the writer knows, and puts in the place of each entry what `change` makes of it. Returns how many there are. */
async function forge(change: (entry: Entry) => Partial<Entry> | undefined, query = ONE): Promise<number> {
  for (let time = 0; time < 2; time++) await writer.visitor.get(query)
  await writer.flush()
  let forged = 0
  for (const key of await client.keys(`${redis.redisPrefix}1:*`)) {
    const bytes = await client.getBuffer(key)
    const entry = bytes && decodeEntry(key, bytes)
    const changed = entry && change(entry)
    if (!changed) continue
    await client.set(key, encodeEntry({ ...entry, ...changed }))
    forged++
  }
  expect(forged).toBeGreaterThan(0)
  return forged
}

/** Asks the reader, then the writer with the token that the reader gave. */
async function ask(query = ONE) {
  const answer = await reader.visitor.send(query)
  const { status } = await writer.visitor.send(query, {}, { 'stet-as-of': String(answer.token) })
  return { ...answer, acceptedWith: status }
}

const results = (node: TestNode, result: string) =>
  readMetric(node.url, 'stet_cache_requests_total', { tier: 'redis', result })

/** Rows say it in their fields, answers in their bytes. */
function lie({ value }: Entry): Partial<Entry> {
  if (isAnswer(value)) {
    return { value: { ...value, bytes: value.bytes.replaceAll('Published', 'Plundered') } }
  }
  return { value: typeof value === 'object' ? { ...value, title: 'Plundered', display_name: 'Eve' } : value }
}

const isAnswer = (value: unknown): value is { readonly bytes: string } =>
  typeof value === 'object' && value !== null && 'bytes' in value

it('takes what another node has stored, of every kind', async () => {
  const page = 'nodes { bodyHtml viewCount author { displayName } tags { name articleCount } } totalCount'
  const query = `{ articles { ${page} } users { totalCount nodes { id } } tags { totalCount nodes { id } }
    article(slug: "published") { id } user(username: "ann") { id } tag(slug: "cats") { id } }`
  const before = await results(reader, 'corrupt')
  await forge(() => ({}), query)
  await client.del(...(await client.keys(`${redis.redisPrefix}1:response.*`)))
  const missed = await results(reader, 'miss')
  await reader.visitor.get(query)
  expect(await results(reader, 'corrupt')).toBe(before)
  // The answer itself.
  expect(await results(reader, 'miss')).toBe(missed + 1)
})

it('takes nothing for an entry that is as of a position beyond the end of the log, and loads over it', async () => {
  const before = await results(reader, 'future')
  await forge((entry) => ({ ...lie(entry), asOf: 2 ** 40 }))
  expect(await ask()).toMatchObject({ data: TRUE_ONE, status: 200, acceptedWith: 200 })
  expect(await results(reader, 'future')).toBeGreaterThan(before)
  await reader.flush()
  // The next node finds what is right.
  writer.cache.clearMemory()
  const { data, headers } = await writer.visitor.send(ONE)
  expect(data).toEqual(TRUE_ONE)
  expect(headers.get('cache-status')).toContain('hit')
})

for (const [what, asOf] of [
  ['negative', -1],
  ['not a number', Number.NaN],
  ['infinite', Number.POSITIVE_INFINITY],
  ['a fraction', 0.5],
  ['beyond what a number can count', 2 ** 53],
] as const) {
  it(`takes nothing for an entry whose position is ${what}`, async () => {
    await forge((entry) => ({ ...lie(entry), asOf }))
    expect(await ask()).toMatchObject({ data: TRUE_ONE, status: 200, acceptedWith: 200 })
  })
}

it('takes nothing for an entry of a history that never was', async () => {
  await forge((entry) => ({ ...lie(entry), epoch: 'f00d', asOf: 2 ** 40 }))
  expect(await ask()).toMatchObject({ data: TRUE_ONE, status: 200, acceptedWith: 200 })
})

it('lets no entry live longer than its kind, whatever it says', async () => {
  await forge(() => ({ staleAtMs: 1e308 }))
  const { headers } = await ask()
  expect(headers.get('cache-status')).toMatch(/hit; ttl=[0-9]{1,5}; detail=redis/)
  await reader.visitor.send(`{ article(id: "${ids.published}") { title version } }`)
  const articles = reader.cache.find('article')
  const held = await articles?.look(articles.keyOf('1'))
  expect(held).toMatchObject({ memory: { value: { title: 'Published' } }, redis: { value: { title: 'Published' } } })
  for (const entry of Object.values(held ?? {}) as Entry[]) {
    expect(entry.staleAtMs).toBeLessThanOrEqual(Date.now() + 100_000)
  }
})

it('takes a clock that is an hour fast for its own, and no entry that is stored in a far future', async () => {
  const hour = 3_600_000
  await forge((entry) => ({ storedAtMs: entry.storedAtMs + hour, staleAtMs: entry.staleAtMs + hour }))
  const { headers, data } = await ask()
  expect(data).toEqual(TRUE_ONE)
  expect(Number(headers.get('age'))).toBeLessThan(10)
  reader.cache.clearMemory()
  const before = await results(reader, 'corrupt')
  await forge((entry) => ({ ...lie(entry), storedAtMs: 1e15, staleAtMs: 1e15 + hour }))
  expect(await ask()).toMatchObject({ data: TRUE_ONE })
  expect(await results(reader, 'corrupt')).toBeGreaterThan(before)
})

for (const [what, value] of [
  ['a number', 42],
  ['a list', []],
  ['an object of another shape', { id: 999, bytes: 'text' }],
  ['bytes', Buffer.from('GET / HTTP/1.1')],
  [
    'an answer whose head ends the message early',
    { bytes: 'content-length: 1\r\n\r\n{}', bodyStart: 20, isPublic: true },
  ],
] as const) {
  it(`takes nothing for a value that is ${what}`, async () => {
    await forge(({ value: present }) => (typeof present === 'object' ? { value } : { value: 'x' }))
    expect(await ask()).toMatchObject({ data: TRUE_ONE, errors: [] })
  })
}

it('takes nothing for an entry whose tags are more than any has, or no texts', async () => {
  for (const tags of [Array.from({ length: 10_001 }, (_, n) => `t:${n}`), [1, null] as unknown as string[]]) {
    reader.cache.clearMemory()
    await forge((entry) => ({ ...lie(entry), tags }))
    expect(await ask()).toMatchObject({ data: TRUE_ONE })
  }
})

it('waits for no lease that has no end, nor one of another type', async () => {
  await forge(() => ({}))
  const keys = await client.keys(`${redis.redisPrefix}1:*`)
  for (const [index, key] of keys.entries()) {
    await client.del(key)
    const lease = `${redis.redisPrefix}lease:{${key}}`
    if (index % 2 === 0) await client.set(lease, '-somebody 99999999999 f00d')
    else await client.lpush(lease, 'a list')
  }
  const began = performance.now()
  expect(await ask()).toMatchObject({ data: TRUE_ONE, errors: [] })
  expect(performance.now() - began).toBeLessThan(1000)
})
