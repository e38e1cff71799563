import { expect, it } from '@jest/globals'
import { eventually, GraphQLClient, readMetric, startFaultProxy, type TestNode, testToken } from '../harness/index.ts'
import { use, useDatabase, useNode, useRedis, useRedisClient } from '../harness/use.ts'
import { ANN, addContent, BOB } from './add-content.ts'

const database = await useDatabase()
const redis = useRedis()
const { hostname, port } = new URL(redis.redisUrl)
const proxy = use(await startFaultProxy({ host: hostname, port: Number(port) }), (it) => it.close())
const environment = { RATE_LIMIT_COST_MAX: '1000', RATE_LIMIT_COST_PER_SECOND: '1', TRUST_PROXY: 'loopback' }
const enforcing = { database, redis, environment: { ...environment, RATE_LIMIT_MODE: 'enforce' } }
/** Two that share Redis, one without, one whose Redis may be away, and one that refuses nothing. */
const [one, two, alone, cut, measuring] = [
  await useNode(enforcing),
  await useNode(enforcing),
  await useNode({ database, environment: enforcing.environment }),
  await useNode({ ...enforcing, redis: { ...redis, redisUrl: proxy.through(redis.redisUrl) } }),
  await useNode({ database, environment: { ...environment, RATE_LIMIT_MODE: 'measure' } }),
] as const
await addContent(database.url)
for (const node of [one, two, alone, cut, measuring]) await node.catchUp()

/** Costs 301, and nobody asked for it before. */
const dear = () => `{ tags(first: 100) { t${++asked}: nodes { id name } } }`
let asked = 0
const CHEAP = '{ tags(first: 1) { nodes { id } } }'

let clients = 0
/** A visitor with an address of its own. */
function visitorOf(node: TestNode) {
  const address = `198.51.100.${++clients}`
  const client = new GraphQLClient(node.url)
  return (query: string, headers = {}) => client.send(query, {}, { 'x-forwarded-for': address, ...headers })
}

const ann = async (node: TestNode) => new GraphQLClient(node.url, await testToken('author', ANN))

it('refuses a user who has spent what there is, on every node, and no other client', async () => {
  const client = await ann(one)
  for (const left of [699, 398, 97]) {
    const { status, headers } = await client.send(dear())
    expect([status, headers.get('ratelimit-policy')]).toEqual([200, '"cost";q=1000;w=1000'])
    const [, told, seconds] = /^"cost";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? []
    // A second may have passed.
    expect(Number(told)).toBeGreaterThanOrEqual(left)
    expect(Number(told)).toBeLessThan(left + 60)
    expect(Number(seconds)).toBe(1000 - Number(told))
  }
  expect((await client.send(dear())).status).toBe(200)
  for (const accept of ['application/json', 'application/graphql-response+json']) {
    const { status, headers, errors, data } = await client.send(CHEAP, {}, { accept })
    expect([status, data, errors.map(({ extensions }) => extensions.code)]).toEqual([429, undefined, ['RATE_LIMITED']])
    expect(headers.get('content-type')).toContain(accept)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(100)
    expect(headers.get('ratelimit')).toMatch(/^"cost";r=0;t=1\d\d\d$/)
    expect(headers.get('cache-control')).toBe('private, no-store')
  }
  const elsewhere = await ann(two)
  await eventually(async () => (await elsewhere.send(CHEAP)).status === 429)
  expect((await new GraphQLClient(one.url, await testToken('author', BOB)).send(dear())).status).toBe(200)
  expect((await visitorOf(one)(dear())).status).toBe(200)
  expect(await readMetric(one.url, 'stet_rate_limit_exceeded_total', { mode: 'enforce' })).toBe(2)
  const costs = await readMetric(one.url, 'stet_operation_cost_sum')
  expect(costs).toBeGreaterThanOrEqual(6 * 301)
})

it('counts the network of an IPv6 address as one client', async () => {
  const visitor = new GraphQLClient(one.url)
  const send = (address: string) => visitor.send(dear(), {}, { 'x-forwarded-for': address })
  for (const host of [1, 2, 3, 4]) expect((await send(`2001:db8:1:2::${host}`)).status).toBe(200)
  expect((await send('2001:db8:1:2:ffff::1')).status).toBe(429)
  expect((await send('2001:db8:1:3::1')).status).toBe(200)
})

it('takes nothing for an answer that was kept, and gives it to a client that has nothing left', async () => {
  const send = visitorOf(one)
  const query = dear()
  for (let time = 0; time < 2; time++) await send(query)
  for (let time = 0; time < 20; time++) {
    const { headers } = await send(query)
    expect([headers.get('x-cache'), headers.get('ratelimit')]).toEqual(['HIT', null])
  }
  // Written in another way, so its bytes are not known.
  const spaced = await send(query.replaceAll(' ', '  '))
  expect([spaced.headers.get('x-cache'), spaced.headers.get('ratelimit')]).toEqual(['HIT', null])
  const { headers } = await send('{ tags(first: 1) { nodes { slug } } }')
  expect(Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])).toBeGreaterThan(390)
  for (let time = 0; time < 2; time++) await send(dear())
  expect((await send(dear())).status).toBe(429)
  expect((await send(query)).headers.get('x-cache')).toBe('HIT')
})

it('takes 100 for what has no price', async () => {
  const send = visitorOf(one)
  const faulty = ['{', '{ nothing }', `{ ${'a '.repeat(20_000)} }`, '{ tags(first: "x") { totalCount } }']
  for (const query of [...faulty, ...faulty]) expect((await send(query)).status).not.toBe(429)
  for (const query of faulty) await send(query)
  expect((await send(CHEAP)).status).toBe(429)
})

it('tells no shared cache what is left', async () => {
  const visitor = new GraphQLClient(one.url)
  const { headers } = await visitor.send(dear(), {}, { 'x-forwarded-for': '203.0.113.1' }, 'GET')
  expect(headers.get('cache-control')).toMatch(/^public/)
  expect(headers.get('ratelimit')).toBeNull()
})

it('keeps a bucket in Redis only until it is full again', async () => {
  const client = useRedisClient()
  const send = visitorOf(one)
  await send(dear())
  const key = `${redis.redisPrefix}rate:cost:address 198.51.100.${clients}`
  await eventually(async () => (await client.exists(key)) === 1)
  expect(await client.pttl(key)).toBeGreaterThan(290_000)
  expect(await client.pttl(key)).toBeLessThanOrEqual(301_001)
})

it('counts by itself without Redis, and while Redis is away', async () => {
  await proxy.cut()
  for (const node of [alone, cut]) {
    const send = visitorOf(node)
    for (let time = 0; time < 4; time++) expect((await send(dear())).status).toBe(200)
    expect((await send(dear())).status).toBe(429)
    expect((await visitorOf(node)(CHEAP)).status).toBe(200)
  }
  await proxy.restore()
})

it('refuses nothing when it only measures', async () => {
  const send = visitorOf(measuring)
  for (let time = 0; time < 6; time++) expect((await send(dear())).status).toBe(200)
  const { status, headers } = await send(dear())
  expect([status, headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/^"cost";r=0;t=\d{4}$/)])
  expect(await readMetric(measuring.url, 'stet_rate_limit_exceeded_total', { mode: 'measure' })).toBe(3)
})

it('tells the price, and what is left, in an explained answer', async () => {
  const admin = new GraphQLClient(one.url, await testToken('admin'))
  const explained = async (query: string) => {
    const headers = { 'stet-explain': '1', 'x-forwarded-for': '203.0.113.9' }
    return (await admin.send(query, {}, headers)).extensions.cost
  }
  expect(await explained(dear())).toEqual({ price: 301, left: expect.any(Number) })
  expect(await explained('{ nothing }')).toEqual({ price: null, left: expect.any(Number) })
})
