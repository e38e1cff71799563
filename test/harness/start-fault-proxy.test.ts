import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix } from './create-redis-prefix.ts'
import { eventually } from './eventually.ts'
import { type FaultProxy, startFaultProxy } from './start-fault-proxy.ts'
import { getTestRun } from './test-run.ts'

const { redisUrl } = getTestRun()
const prefix = createRedisPrefix()
let proxy: FaultProxy
let redis: Redis

beforeEach(async () => {
  const { hostname, port } = new URL(redisUrl)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) || 6379 })
  redis = new Redis(proxy.through(redisUrl), {
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
    disconnectTimeout: 100, // ioredis keeps a process for so long after it leaves a connection already broken
    autoResendUnfulfilledCommands: false,
  })
  redis.on('error', () => {})
  await redis.ping()
  proxy.resetCounts()
})

afterEach(async () => {
  redis.disconnect()
  await proxy.close()
})

afterAll(async () => {
  const direct = new Redis(redisUrl)
  await direct.del(`${prefix}large`)
  direct.disconnect()
})

it('counts a pipeline as one round trip, and commands that await each other one by one', async () => {
  await redis.pipeline().ping().ping().ping().exec()
  expect(proxy.roundTrips()).toBe(1)
  await redis.ping()
  await redis.ping()
  expect(proxy.roundTrips()).toBe(3)
  proxy.resetCounts()
  expect(proxy.roundTrips()).toBe(0)
})

it('adds up the round trips of all connections', async () => {
  const second = redis.duplicate()
  await second.ping()
  proxy.resetCounts()
  await Promise.all([redis.ping(), second.ping()])
  expect(proxy.roundTrips()).toBe(2)
  second.disconnect()
})

it('breaks and refuses connections when cut, and lets them in again when restored', async () => {
  const broken = new Promise((resolve) => redis.once('close', resolve))
  await proxy.cut()
  await broken
  await expect(redis.ping()).rejects.toThrow()
  await proxy.restore()
  expect(await eventually(() => redis.ping())).toBe('PONG')
})

it('holds everything back while stalled, and delivers it when restored', async () => {
  proxy.stall()
  let answered = false
  const ping = redis.ping().finally(() => {
    answered = true
  })
  await expect(eventually(() => answered, { withinMs: 200 })).rejects.toThrow('stayed false')
  await proxy.restore()
  expect(await ping).toBe('PONG')
})

it('breaks connections that were stalled when it is cut', async () => {
  proxy.stall()
  const ping = redis.ping()
  await Promise.all([proxy.cut(), expect(ping).rejects.toThrow()])
})

it('delays every answer, in order and whole', async () => {
  const large = 'x'.repeat(1_000_000)
  await redis.set(`${prefix}large`, large)
  proxy.delay(100)
  const start = performance.now()
  expect(await Promise.all([redis.get(`${prefix}large`), redis.ping()])).toEqual([large, 'PONG'])
  expect(performance.now() - start).toBeGreaterThanOrEqual(99)
})

it('lets no more through than it is throttled to', async () => {
  proxy.throttle(500_000)
  const start = performance.now()
  await redis.set(`${prefix}large`, 'x'.repeat(100_000))
  expect(performance.now() - start).toBeGreaterThanOrEqual(199)
  await proxy.restore()
  expect(await redis.get(`${prefix}large`)).toHaveLength(100_000)
})

it('resets connections, and lets others be made', async () => {
  const reason = new Promise<Error>((resolve) => redis.once('error', resolve))
  const closed = new Promise((resolve) => redis.once('close', resolve))
  expect(proxy.reset(0)).toBe(0)
  expect(await redis.ping()).toBe('PONG')
  expect(proxy.reset()).toBe(1)
  expect(await reason).toMatchObject({ code: 'ECONNRESET' })
  await closed
  expect(await eventually(() => redis.ping())).toBe('PONG')
})

it('leaves connections half open, which nothing gets through again, and lets others be made', async () => {
  const other = redis.duplicate({ lazyConnect: true })
  proxy.halfOpen()
  await other.connect()
  expect(await other.ping()).toBe('PONG')
  let answered = false
  redis.ping().then(
    () => {
      answered = true
    },
    () => {},
  )
  await proxy.restore()
  expect(await other.ping()).toBe('PONG')
  expect({ answered, status: redis.status }).toEqual({ answered: false, status: 'ready' })
  other.disconnect()
})

it('loses every n-th message of pub/sub, and no answer', async () => {
  const heard: string[] = []
  const subscriber = redis.duplicate()
  await subscriber.subscribe(`${prefix}channel`)
  subscriber.on('message', (_channel, text) => heard.push(text))
  proxy.loseMessages(2)
  // Only what is awaited is sure to be a message by itself.
  for (const text of ['1', '2', '3', '4', '5']) {
    await redis.publish(`${prefix}channel`, text)
    await subscriber.ping()
  }
  expect(heard).toEqual(['1', '3', '5'])
  subscriber.disconnect()
})
