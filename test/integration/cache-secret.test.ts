import { beforeEach, expect, it } from '@jest/globals'
import { encodeEntry } from '../../src/cache/remote/envelope.ts'
import { Keyring, signMessage } from '../../src/redis/index.ts'
import { addContent, ids } from '../api/add-content.ts'
import {
  canStartRedisCluster,
  emptyContent,
  eventually,
  startRedisCluster,
  startTestNode,
  type TestNode,
} from '../harness/index.ts'
import { readMetric } from '../harness/read-metric.ts'
import { useDatabase, useNode, useRedis, useRedisClient } from '../harness/use.ts'

/** With CACHE_SECRET nobody is believed who can write to Redis, and has no secret. */
const database = await useDatabase()
const redis = useRedis()
const client = useRedisClient()
const [OLD, NEW] = ['the old secret of all nodes of a fleet', 'the new secret of all nodes of a fleet'] as const
const fleet = (...secrets: string[]) =>
  useNode({ database, redis, environment: { WORKER: 'off', CACHE_SECRET: secrets.join('\n') } })
/** As a rotation meets them: who knows the old secret only, both, both the other way round, and one without. */
const [before, between, after] = [await fleet(OLD), await fleet(OLD, NEW), await fleet(NEW, OLD)]
const bare = await useNode({ database, redis, environment: { WORKER: 'off' } })
const nodes = [before, between, after, bare] as const

const ONE = `{ article(id: "${ids.published}") { title author { displayName } } }`
const TRUE_ONE = { article: { title: 'Published', author: { displayName: 'Ann' } } }
const entries = () => client.keys(`${redis.redisPrefix}1:*`)
const corrupt = (node: TestNode) =>
  readMetric(node.url, 'stet_cache_requests_total', { tier: 'redis', result: 'corrupt' })
const hits = (node: TestNode) => readMetric(node.url, 'stet_cache_requests_total', { tier: 'redis', result: 'hit' })
const forged = (node: TestNode) => readMetric(node.url, 'stet_redis_forged_messages_total')

beforeEach(async () => {
  await emptyContent(database.url)
  await addContent(database.url)
  for (const node of nodes) await node.catchUp()
  await forget()
})

async function forget(): Promise<void> {
  for (const node of nodes) await node.flush()
  for (const key of await entries()) await client.del(key)
  for (const node of nodes) node.cache.clearMemory()
}

async function fill(node: TestNode): Promise<void> {
  for (let time = 0; time < 2; time++) expect(await node.visitor.get(ONE)).toEqual(TRUE_ONE)
  await node.flush()
}

it('takes nothing for an entry that is not signed, and loads over it', async () => {
  await fill(before)
  for (const key of await entries()) {
    const bytes = await client.getBuffer(key)
    const entry = bytes && before.cache.decode(key, bytes)
    if (entry) await client.set(key, encodeEntry({ ...entry, value: { ...Object(entry.value), title: 'Plundered' } }))
  }
  const counted = await corrupt(between)
  expect(await between.visitor.get(ONE)).toEqual(TRUE_ONE)
  expect(await corrupt(between)).toBeGreaterThan(counted)
  await between.flush()
  before.cache.clearMemory()
  const hit = await hits(before)
  expect(await before.visitor.get(ONE)).toEqual(TRUE_ONE)
  expect(await hits(before)).toBeGreaterThan(hit)
})

it('takes nothing for an entry that lay under another key', async () => {
  const query = `{ a: node(id: "${ids.published}") { ... on Article { title } } b: node(id: "${ids.bobsPublished}") { ... on Article { title } } }`
  await before.visitor.get(query)
  await before.flush()
  const [one = '', other = ''] = (await entries()).filter((key) => key.includes(':article.'))
  const [first, second] = await client.mgetBuffer(one, other)
  await client.mset(one, second ?? '', other, first ?? '')
  expect(await between.visitor.get(query)).toEqual({ a: { title: 'Published' }, b: { title: 'Published by Bob' } })
})

it('takes nothing for an entry of which a bit was changed, or that was cut short', async () => {
  for (const damage of [
    (bytes: Buffer) => bytes.subarray(0, -1),
    (bytes: Buffer) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)),
    (bytes: Buffer) => bytes.map((byte, at) => (at === 10 ? byte ^ 1 : byte)),
  ]) {
    await forget()
    await fill(before)
    for (const key of await entries())
      await client.set(key, Buffer.from(damage((await client.getBuffer(key)) as Buffer)))
    expect(await between.visitor.get(ONE)).toEqual(TRUE_ONE)
  }
})

for (const [who, writer, reader, shares] of [
  ['who knows both secrets what is signed with the old one', before, between, true],
  ['who writes the new secret what is signed with the old one', between, after, true],
  ['who knows both secrets what is signed with the new one', after, between, true],
  ['who knows only the old secret nothing of what is signed with the new one', after, before, false],
  ['who has a secret nothing of who has none', bare, after, false],
  ['who has no secret nothing of who has one', after, bare, false],
] as const) {
  it(`gives ${who}, and the right answer to all`, async () => {
    await fill(writer)
    const hit = await hits(reader)
    expect(await reader.visitor.get(ONE)).toEqual(TRUE_ONE)
    expect((await hits(reader)) > hit).toBe(shares)
  })
}

it('shows every write on every node, whichever secrets they have', async () => {
  for (const node of nodes) await fill(node)
  for (const [round, writer] of [...nodes, ...nodes].entries()) {
    const title = `round ${round}`
    const { token } = await writer.admin.send(
      `mutation { updateArticle(input: { id: "${ids.published}", title: "${title}" }) { article { id } } }`,
    )
    for (const node of nodes) {
      const { data, status } = await node.visitor.send(ONE, {}, { 'stet-as-of': String(token) })
      expect([status, data]).toMatchObject([200, { article: { title } }])
    }
  }
})

it('ignores and counts forged messages: no new history, no gap, no lost connection', async () => {
  // Where no node is that would believe them.
  const alone = useRedis()
  const options = { databaseUrl: database.url, ...alone, environment: { WORKER: 'off', CACHE_SECRET: OLD } }
  const [one, two] = [await startTestNode(options), await startTestNode(options)]
  try {
    await fill(one)
    const { epoch, seen } = one.ledger
    const lie = (after: number) =>
      JSON.stringify([
        epoch,
        after,
        [
          [1, ['articles:1']],
          [2, ['users']],
        ],
      ])
    const channel = `${alone.redisPrefix}log`
    const count = await forged(one)
    const others = new Keyring(['the secret of somebody else, long enough'], 'stretch of the log')
    const released = new Keyring([OLD], 'release of a lease')
    const real = new Keyring([OLD], 'stretch of the log')
    const lies = [lie(seen), lie(seen + 1000), '', 'nonsense', signMessage(channel, lie(seen), others)]
    // With the secret, but for another purpose, or another channel.
    lies.push(signMessage(channel, lie(seen), released), signMessage(`${channel}s`, lie(seen), real))
    for (let round = 0; round < 30; round++) for (const each of lies) await client.publish(channel, each)
    await client.publish(`${alone.redisPrefix}leases`, 'a key')
    await eventually(async () => (await forged(one)) >= count + 30 * lies.length + 1)
    expect(one.ledger.seen).toBe(seen)
    expect(await readMetric(one.url, 'stet_ledger_epochs_total')).toBe(0)
    expect(await readMetric(one.url, 'stet_ledger_gaps_total')).toBe(0)
    const applied = await readMetric(one.url, 'stet_invalidations_total', { source: 'redis' })
    // Now and then the log is read before the message comes, which then says nothing new: so a few writes.
    let writes = 0
    await eventually(async () => {
      const title = `told ${++writes}`
      await two.admin.get(
        `mutation { updateArticle(input: { id: "${ids.published}", title: "${title}" }) { article { id } } }`,
      )
      await eventually(async () => (await one.visitor.get<typeof TRUE_ONE>(ONE)).article.title === title)
      return (await readMetric(one.url, 'stet_invalidations_total', { source: 'redis' })) > applied
    })
  } finally {
    await Promise.all([one.close(), two.close()])
  }
})

const itWhereItCan = canStartRedisCluster() ? it : it.skip

itWhereItCan('shares what is signed and sealed through a Redis Cluster, and tells of writes there', async () => {
  const cluster = await startRedisCluster()
  const environment = { WORKER: 'off', CACHE_SECRET: OLD, REDIS_CLUSTER: cluster.addresses }
  const options = { databaseUrl: database.url, environment }
  const [one, two] = [await startTestNode(options), await startTestNode(options)]
  try {
    const query = `{ node(id: "${ids.annsDraft}") { ... on Article { title author { email } } } }`
    const mine = { node: { title: 'Draft of Ann', author: { email: 'ann@example.com' } } }
    expect(await one.admin.get(query)).toEqual(mine)
    await one.flush()
    expect(await two.admin.get(query)).toEqual(mine)
    for (const kind of ['article', 'user', 'user-email']) {
      expect(await readMetric(two.url, 'stet_cache_requests_total', { kind, tier: 'redis', result: 'hit' })).toBe(1)
    }
    await one.admin.get(
      `mutation { updateArticle(input: { id: "${ids.annsDraft}", title: "told" }) { article { id } } }`,
    )
    await eventually(async () => (await two.admin.get<typeof mine>(query)).node.title === 'told')
    expect(await forged(two)).toBe(0)
  } finally {
    await Promise.all([one.close(), two.close()])
    await cluster.stop()
  }
})
