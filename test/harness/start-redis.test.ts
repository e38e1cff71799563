import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually } from './eventually.ts'
import { pingRedis } from './ping-redis.ts'
import type { RedisServer } from './redis-server.ts'
import { startRedis } from './start-redis.ts'

let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await startRedis({ args: ['--maxmemory', '8mb'] })
})

afterAll(() => server.stop())

beforeEach(() => {
  redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  redis.on('error', () => {})
})

afterEach(() => redis.disconnect())

it('takes the arguments it is given', async () => {
  expect(await redis.config('GET', 'maxmemory')).toEqual(['maxmemory', String(8 * 1024 * 1024)])
})

it('keeps over a kill all it had acknowledged, when asked to', async () => {
  await redis.set('key', 'value')
  await server.kill()
  await expect(pingRedis(server.url)).rejects.toThrow()
  await server.restart({ keepData: true })
  expect(await redis.get('key')).toBe('value')
})

it('comes back empty from a restart, when asked to', async () => {
  await redis.set('key', 'value')
  await server.restart({ keepData: false })
  expect(await redis.dbsize()).toBe(0)
})

it('answers nobody while paused, and those who waited when resumed', async () => {
  await redis.ping()
  await server.pause()
  let answered = false
  const ping = redis.ping().finally(() => {
    answered = true
  })
  await expect(eventually(() => answered, { withinMs: 300 })).rejects.toThrow('stayed false')
  await server.resume()
  expect(await ping).toBe('PONG')
})

it('starts several at once', async () => {
  const others = await Promise.all([startRedis(), startRedis()])
  expect(new Set([server, ...others].map(({ url }) => url)).size).toBe(3)
  await Promise.all(others.map((other) => other.stop()))
})
