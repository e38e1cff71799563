import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix, eventually, startRedis } from '../../test/harness/index.ts'
import type { Heard } from './loudspeaker.ts'
import { RedisLoudspeaker } from './redis-loudspeaker.ts'

let server: Awaited<ReturnType<typeof startRedis>>
let publisher: Redis
let channel: string
let heard: Heard[]
let errors: Error[]
let ends: (() => unknown)[]

beforeEach(async () => {
  server = await startRedis()
  publisher = client()
  channel = `${createRedisPrefix()}log`
  heard = []
  errors = []
  ends = []
})

afterEach(async () => {
  for (const end of ends) await end()
  publisher.disconnect()
  await server.stop()
})

it('carries records to whoever listens', async () => {
  const speaker = start()
  await subscribers(1)
  const records = [
    { position: 8, tags: ['articles:1', 'articles:*'], writtenAtUs: 1_800_000_000_000_001 },
    { position: 9, tags: ["it's “odd”\u0000"], writtenAtUs: 1_800_000_000_000_002 },
  ]
  speaker.publish({ epoch: 'a', after: 7, records })
  await eventually(() => heard.length === 1)
  expect(heard).toEqual([{ kind: 'stretch', stretch: { epoch: 'a', after: 7, records } }])
  expect(errors).toEqual([])
})

it('tells of what is no stretch of the log, and hears what comes after', async () => {
  const speaker = start()
  await subscribers(1)
  const nonsense = ['', '{', 'null', '7', '[]', '["a"]', '["a",1]', '["a",1.5,[]]', '["a",1,[7]]', '["a",1,[[1]]]']
  nonsense.push('["a",1,[["1",["t"]]]]', '["a",1,[[1,[null]]]]', '["a",1,[[1,"t"]]]', '[7,1,[]]')
  for (const text of nonsense) await publisher.publish(channel, text)
  speaker.publish({ epoch: 'a', after: 7, records: [] })
  await eventually(() => heard.length === 1)
  expect(errors).toHaveLength(nonsense.length)
})

it('leaves alone what comes on the channels of others that share its subscriber', async () => {
  const subscriber = client()
  const speaker = start({}, subscriber)
  await subscribers(1)
  await subscriber.subscribe(`${channel}:other`)
  await publisher.publish(`${channel}:other`, 'a key')
  await publisher.publish(`${channel}:other`, '["a",1,[]]')
  speaker.publish({ epoch: 'a', after: 7, records: [] })
  await eventually(() => heard.length > 0)
  expect(heard).toEqual([{ kind: 'stretch', stretch: { epoch: 'a', after: 7, records: [] } }])
  expect(errors).toEqual([])
})

it('listens again after Redis was gone', async () => {
  const speaker = start()
  await subscribers(1)
  await server.kill()
  await server.restart({ keepData: false })
  await subscribers(1)
  speaker.publish({ epoch: 'a', after: 7, records: [] })
  await eventually(() => heard.length === 1)
})

it('listens once Redis is there, though it was not when it began, and its client gave up on that', async () => {
  await server.kill()
  start({ maxRetriesPerRequest: 0, enableOfflineQueue: false })
  await server.restart({ keepData: false })
  await subscribers(1)
})

it('tells of what could not be published, and goes on', async () => {
  const speaker = start()
  await server.kill()
  await eventually(() => publisher.status !== 'ready')
  speaker.publish({ epoch: 'a', after: 7, records: [] })
  await eventually(() => errors.length > 0)
})

it('hears nothing more once it has stopped', async () => {
  const speaker = start()
  await subscribers(1)
  await speaker.stop()
  await publisher.publish(channel, '["a",7,[]]')
  await publisher.ping()
  expect(heard).toEqual([])
})

function start(options = {}, subscriber = client(options)): RedisLoudspeaker {
  const speaker = new RedisLoudspeaker({ publisher, subscriber, channel, onError: (error) => void errors.push(error) })
  speaker.start((message) => void heard.push(message))
  ends.push(
    () => speaker.stop(),
    () => subscriber.disconnect(),
  )
  return speaker
}

function client(options = {}): Redis {
  const redis = new Redis(server.url, {
    retryStrategy: () => 10,
    maxRetriesPerRequest: 1,
    disconnectTimeout: 100,
    ...options,
  })
  redis.on('error', () => {})
  return redis
}

async function subscribers(count: number): Promise<void> {
  await eventually(async () => (await publisher.pubsub('NUMSUB', channel))[1] === count)
}
