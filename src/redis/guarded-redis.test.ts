import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually, type FaultProxy, type RedisServer, startFaultProxy, startRedis } from '../../test/harness/index.ts'
import { isRefusal } from './breaker.ts'
import { GuardedRedis, type GuardedRedisOptions } from './guarded-redis.ts'

/** Between the client and Redis stands a proxy that counts what is sent. */
let server: RedisServer
let proxy: FaultProxy
let client: Redis
let states: string[]

beforeAll(async () => {
  server = await startRedis()
  const { hostname, port } = new URL(server.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

beforeEach(async () => {
  states = []
  client = new Redis(proxy.through(server.url), {
    enableOfflineQueue: false,
    commandTimeout: PATIENT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 10,
    disconnectTimeout: 100,
  })
  client.on('error', () => {})
  await eventually(() => client.status === 'ready')
  // So that the client has nothing of its own to say any more.
  await client.ping()
  proxy.resetCounts()
})

afterEach(async () => {
  client.disconnect()
  await proxy.restore()
})

afterAll(async () => {
  await proxy.close()
  await server.stop()
})

it.each([
  ['hangs', () => stall()],
  [
    'answers too late',
    () => {
      proxy.delay(300)
      client.options.commandTimeout = BRIEF_MS
    },
  ],
])('sends nothing any more to a server that %s, once it has failed so often', async (_how, break_) => {
  const redis = guard({ failures: 3, resetMs: 1e9 })
  break_()
  for (let time = 0; time < 3; time++) await expect(ask(redis)).rejects.toThrow('timed out')
  expect(states).toEqual(['redis closed', 'redis open'])
  const sent = proxy.bytes()
  const outcomes = await Promise.all(Array.from({ length: 1000 }, () => ask(redis).catch(isRefusal)))
  expect(outcomes.every((refused) => refused === true)).toBe(true)
  expect(proxy.bytes()).toBe(sent)
})

it('sends exactly one probe each time it is due, and nothing beside it', async () => {
  const redis = guard({ failures: 1, resetMs: 20 })
  stall()
  await expect(ask(redis)).rejects.toThrow('timed out')
  const sent = proxy.bytes()
  const probes = () => states.filter((state) => state === 'redis half-open').length
  await eventually(async () => {
    for (let time = 0; time < 100; time++) await expect(ask(redis)).rejects.toThrow('breaker is open')
    return probes() >= 3
  })
  const expected = probes() * '*1\r\n$4\r\nping\r\n'.length
  await eventually(() => proxy.bytes() - sent >= expected)
  expect(proxy.bytes() - sent).toBe(expected)
})

it('is open to all again when a probe was answered', async () => {
  const redis = guard({ failures: 1, resetMs: 1 })
  stall()
  await expect(ask(redis)).rejects.toThrow('timed out')
  await proxy.restore()
  client.options.commandTimeout = PATIENT_MS
  await eventually(async () => expect(await ask(redis)).toEqual([[null, 'PONG']]))
  expect(states.at(-1)).toBe('redis closed')
})

it('opens where Redis is gone, and closes when it is back', async () => {
  const redis = guard({ failures: 2, resetMs: 20 })
  await proxy.cut()
  await eventually(() => client.status !== 'ready')
  for (let time = 0; time < 2; time++) await expect(ask(redis)).rejects.toThrow()
  expect(states).toEqual(['redis closed', 'redis open'])
  await proxy.restore()
  await eventually(async () => expect(await ask(redis)).toEqual([[null, 'PONG']]))
})

it('takes a pipeline that fails for one failure, and a refusal for an answer', async () => {
  const redis = guard({ failures: 2, resetMs: 1e9 })
  for (let time = 0; time < 5; time++) {
    const replies = await only(redis).send((client) => [client.call('NOSUCH'), client.call('NOSUCH')])
    expect(replies.map(([error]) => error?.message)).toEqual(Array(2).fill(expect.stringContaining('unknown command')))
  }
  stall()
  await expect(only(redis).send((client) => [client.ping(), client.ping(), client.ping()])).rejects.toThrow('timed out')
  expect(states).toEqual(['redis closed'])
})

it('asks about many keys at once, in their order, and fails where one does', async () => {
  const redis = guard()
  await redis.each(['a', 'b'], (client, key) => client.set(key, `${key}!`))
  const { stream } = redis.client as Redis
  const [alone, together] = [jest.spyOn(stream, '_write'), jest.spyOn(stream, '_writev')]
  expect(await redis.each(['b', 'c', 'a'], (client, key) => client.get(key))).toEqual(['b!', null, 'a!'])
  expect([alone.mock.calls.length, together.mock.calls.length]).toEqual([0, 1])
  expect(await redis.each([], (client, key) => client.get(key))).toEqual([])
  await expect(redis.each(['a'], (client, key) => client.lpop(key))).rejects.toThrow('WRONGTYPE')
})

/** From here on nothing is answered, and nobody waits for long. */
function stall(): void {
  proxy.stall()
  client.options.commandTimeout = BRIEF_MS
}

function guard(options: GuardedRedisOptions = {}): GuardedRedis {
  return new GuardedRedis(client, { ...options, onBreaker: (name, state) => void states.push(`${name} ${state}`) })
}

function only(redis: GuardedRedis) {
  const [node] = redis.masters()
  if (!node) throw new Error('there is one')
  return node
}

const ask = (redis: GuardedRedis) => only(redis).send((client) => [client.ping()])

const PATIENT_MS = 10_000
const BRIEF_MS = 50
