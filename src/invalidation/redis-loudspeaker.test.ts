import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix, eventually, startRedis } from '../../test/harness/index.ts'
import type { Heard } from './loudspeaker.ts'
import { RedisLoudspeaker, type RedisLoudspeakerOptions } from './redis-loudspeaker.ts'

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

const SECRETS = ['the old secret of a fleet', 'the new secret of a fleet'].map((secret) => secret.padEnd(32, '!'))
const [OLD = '', NEW = ''] = SECRETS

for (const [when, told, hears] of [
  ['both have one secret', [OLD], [OLD]],
  ['the new secret is known to all, and written by none', [OLD, NEW], [OLD]],
  ['the first process writes the new secret', [NEW, OLD], [OLD, NEW]],
  ['the old secret is forgotten by some', [NEW, OLD], [NEW]],
] as const) {
  it(`carries signed records where ${when}`, async () => {
    let forged = 0
    start({}, client(), { secrets: hears, onForged: () => forged++ })
    await subscribers(1)
    const speaker = new RedisLoudspeaker({
      publisher,
      subscriber: publisher,
      channel,
      secrets: told,
      onError: () => {},
    })
    speaker.publish({ epoch: 'a', after: 7, records: [{ position: 8, tags: ['“odd”\u0000'], writtenAtUs: 1 }] })
    await eventually(() => heard.length === 1)
    expect(heard[0]).toMatchObject({ stretch: { after: 7, records: [{ position: 8, tags: ['“odd”\u0000'] }] } })
    expect(forged).toBe(0)
  })
}

it('hears nothing that is not signed for its channel, counts it, and goes on', async () => {
  let forged = 0
  const speaker = start({}, client(), { secrets: [OLD], onForged: () => forged++ })
  await subscribers(1)
  const signed: string[] = []
  const spy = client()
  spy.on('message', (_channel, message) => void signed.push(message))
  await spy.subscribe(channel, `${channel}:other`)
  speaker.publish({ epoch: 'a', after: 7, records: [] })
  const other = new RedisLoudspeaker({
    publisher,
    subscriber: spy,
    channel: `${channel}:other`,
    secrets: [OLD],
    onError: () => {},
  })
  other.publish({ epoch: 'a', after: 7, records: [] })
  await eventually(() => signed.length === 2)
  const [mine = '', others = ''] = signed
  const lies = [
    '',
    '{',
    '["a",7,[]]',
    others,
    `${mine.slice(0, 27)}["b",7,[]]`,
    mine.slice(1),
    `${mine} `,
    'A'.repeat(100_000),
  ]
  lies.push(`${mine[0] === 'A' ? 'B' : 'A'}${mine.slice(1)}`)
  for (const lie of lies) await publisher.publish(channel, lie)
  speaker.publish({ epoch: 'a', after: 8, records: [] })
  await eventually(() => heard.length === 2)
  expect(heard.map((each) => each.kind === 'stretch' && each.stretch.after)).toEqual([7, 8])
  expect(forged).toBe(lies.length)
  expect(errors).toEqual([])
  spy.disconnect()
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

function start(
  options = {},
  subscriber = client(options),
  signing: Partial<RedisLoudspeakerOptions> = {},
): RedisLoudspeaker {
  const onError = (error: Error) => void errors.push(error)
  const speaker = new RedisLoudspeaker({ publisher, subscriber, channel, onError, ...signing })
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
