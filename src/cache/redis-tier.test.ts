import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Redis, type RedisOptions } from 'ioredis'
import { createRedisPrefix, eventually, startFaultProxy, startRedis } from '../../test/harness/index.ts'
import { RedisTier, type RedisTierOptions } from './redis-tier.ts'

type Server = Awaited<ReturnType<typeof startRedis>>
type Proxy = Awaited<ReturnType<typeof startFaultProxy>>

let server: Server
let proxy: Proxy
let redis: Redis
let prefix: string
let errors: Error[]

beforeAll(async () => {
  server = await startRedis()
  const { hostname, port } = new URL(server.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

beforeEach(async () => {
  prefix = createRedisPrefix()
  errors = []
  redis = await connect()
  proxy.resetCounts()
})

afterEach(() => redis.disconnect())

afterAll(async () => {
  await proxy.close()
  await server.stop()
})

it('brings back the bytes it was given, and nothing where there is nothing', async () => {
  const tier = tierOf()
  const bytes = Buffer.from([0, 255, 13, 10, 128])
  tier.write(`${prefix}a`, bytes, 10_000)
  await tier.flush()
  expect(await tier.read([`${prefix}b`, `${prefix}a`])).toEqual([undefined, bytes])
})

it('reads all that is asked for in one turn of the event loop in one round trip', async () => {
  const trips: number[] = []
  const tier = tierOf({ onRoundTrip: () => void trips.push(1) })
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  tier.write(`${prefix}b`, Buffer.from('2'), 10_000)
  const [ab, ba] = await Promise.all([
    tier.read([`${prefix}a`, `${prefix}b`]),
    Promise.resolve().then(() => tier.read([`${prefix}b`, `${prefix}c`, `${prefix}a`])),
  ])
  expect(ab.map(String)).toEqual(['1', '2'])
  expect(ba.map(String)).toEqual(['2', 'undefined', '1'])
  expect(trips).toHaveLength(1)
  expect(proxy.roundTrips()).toBe(1)
})

it('lets writes wait for a read to travel with', async () => {
  const tier = tierOf({ lingerMs: 1e6 })
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  expect(await redis.exists(`${prefix}a`)).toBe(0)
  proxy.resetCounts()
  expect((await tier.read([`${prefix}a`])).map(String)).toEqual(['1'])
  expect(proxy.roundTrips()).toBe(1)
})

it('sends writes that wait in vain for a read by themselves, all at once', async () => {
  const trips: number[] = []
  const tier = tierOf({ lingerMs: 1, onRoundTrip: () => void trips.push(1) })
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  tier.write(`${prefix}b`, Buffer.from('2'), 10_000)
  await eventually(async () => (await redis.exists(`${prefix}a`, `${prefix}b`)) === 2)
  expect(trips).toHaveLength(1)
})

it('lets entries expire when their life ends, a fraction of a millisecond included', async () => {
  const tier = tierOf()
  tier.write(`${prefix}a`, Buffer.from('1'), 59_999.2)
  tier.write(`${prefix}b`, Buffer.from('1'), 0.3)
  await tier.flush()
  const left = await redis.pttl(`${prefix}a`)
  expect(left).toBeGreaterThan(50_000)
  expect(left).toBeLessThanOrEqual(60_000)
  await eventually(async () => (await redis.exists(`${prefix}b`)) === 0)
  expect(errors).toEqual([])
})

it('asks nothing where there is nothing to ask', async () => {
  const tier = tierOf()
  expect(await tier.read([])).toEqual([])
  await tier.flush()
  expect(proxy.roundTrips()).toBe(0)
})

it('rejects reads in time where Redis does not answer, and reads again once it does', async () => {
  const tier = tierOf()
  proxy.stall()
  const reads = [tier.read([`${prefix}a`]), tier.read([`${prefix}b`])]
  for (const outcome of await Promise.allSettled(reads)) expect(outcome.status).toBe('rejected')
  await proxy.restore()
  await eventually(async () => (await tier.read([`${prefix}a`])).length === 1)
})

it('tells of writes that were not answered in time', async () => {
  const tier = tierOf()
  proxy.stall()
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  await tier.flush()
  expect(errors).toHaveLength(1)
  await proxy.restore()
})

it('rejects at once where Redis is gone, and reads again once it is back', async () => {
  const tier = tierOf()
  await proxy.cut()
  await eventually(() => redis.status !== 'ready')
  await expect(tier.read([`${prefix}a`])).rejects.toThrow()
  await proxy.restore()
  await eventually(async () => (await tier.read([`${prefix}a`])).length === 1)
})

it('rejects what was under way when Redis died', async () => {
  const tier = tierOf()
  proxy.stall()
  const read = tier.read([`${prefix}a`])
  await proxy.cut()
  await expect(read).rejects.toThrow()
  await proxy.restore()
})

it('tells of a write that Redis refuses, and answers the read that travelled with it', async () => {
  await redis.set(`${prefix}a`, '1')
  await redis.config('SET', 'maxmemory', '1')
  const tier = tierOf()
  tier.write(`${prefix}b`, Buffer.from('2'), 10_000)
  expect((await tier.read([`${prefix}a`])).map(String)).toEqual(['1'])
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('OOM')])
  await redis.config('SET', 'maxmemory', '0')
})

it('refuses a client that would wait for Redis without end', () => {
  const patient = new Redis(server.url, { lazyConnect: true })
  expect(() => tierOf({ redis: patient })).toThrow('commandTimeout')
})

function tierOf(options: Partial<RedisTierOptions> = {}): RedisTier {
  return new RedisTier({ redis, onError: (error) => void errors.push(error), ...options })
}

async function connect(options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(proxy.through(server.url), {
    enableOfflineQueue: false,
    commandTimeout: 200,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 10,
    ...options,
  })
  client.on('error', () => {})
  await eventually(() => client.status === 'ready')
  return client
}
