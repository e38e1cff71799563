import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually, type RedisServer, startRedis } from '../../test/harness/index.ts'
import { lookBeforeTimeout } from './open-redis.ts'

let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await startRedis()
  redis = lookBeforeTimeout(new Redis(server.url, { commandTimeout: TIMEOUT_MS }))
  await eventually(() => redis.ping())
})

afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

it('takes a reply that has come while the process was busy for longer than the time-out', async () => {
  const replies = Promise.all([redis.set('key', 'value'), redis.get('key'), redis.pipeline().get('key').exec()])
  // Redis takes commands in turn: once it has answered another process, it has answered these. That process is busy for longer than the time-out.
  execFileSync(process.execPath, ['--input-type=module', '--eval', PING, server.url, String(2 * TIMEOUT_MS)], {
    cwd: import.meta.dirname,
  })
  expect(await replies).toEqual(['OK', 'value', [[null, 'value']]])
})

it('fails a command that Redis does not answer in time', async () => {
  await server.pause()
  const replies = redis.pipeline().get('key').exec()
  await expect(redis.get('key')).rejects.toThrow('Command timed out')
  expect(await replies).toEqual([[new Error('Command timed out'), undefined]])
  await server.resume()
  await eventually(async () => expect(await redis.get('key')).toBe('value'))
})

const TIMEOUT_MS = 50
const PING = `
  import { Redis } from 'ioredis'
  const [url, busyMs] = process.argv.slice(1)
  const redis = new Redis(url)
  await redis.ping()
  redis.disconnect()
  const until = performance.now() + Number(busyMs)
  while (performance.now() < until);
`
