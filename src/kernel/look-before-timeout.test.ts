import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from '../../test/harness/index.ts'
import { lookBeforeTimeout } from './look-before-timeout.ts'

let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await startRedis()
  redis = lookBeforeTimeout(new Redis(server.url, { commandTimeout: TIMEOUT_MS }))
  await redis.ping()
})

afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

it('takes a reply that has come while the process was busy for longer than the time-out', async () => {
  const replies = redis.pipeline().set('key', 'value').get('key').exec()
  const alone = redis.get('key')
  const until = performance.now() + 3 * TIMEOUT_MS
  while (performance.now() < until);
  expect(await replies).toEqual([
    [null, 'OK'],
    [null, 'value'],
  ])
  expect(await alone).toBe('value')
})

it('fails a command that Redis does not answer in time', async () => {
  await server.pause()
  const replies = redis.pipeline().get('key').exec()
  await expect(redis.get('key')).rejects.toThrow('Command timed out')
  expect(await replies).toEqual([[new Error('Command timed out'), undefined]])
  await server.resume()
  expect(await redis.get('key')).toBe('value')
})

const TIMEOUT_MS = 50
