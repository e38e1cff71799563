import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Redis, type RedisOptions } from 'ioredis'
import { createRedisPrefix, eventually, startFaultProxy, startRedis } from '../../../test/harness/index.ts'
import { RedisTier, type RedisTierOptions } from './redis-tier.ts'
import type { Found, ReadRequest } from './remote-tier.ts'

type Server = Awaited<ReturnType<typeof startRedis>>
type Proxy = Awaited<ReturnType<typeof startFaultProxy>>

let server: Server
let proxy: Proxy
let redis: Redis
let prefix: string
let errors: Error[]
let ends: (() => unknown)[]

beforeAll(async () => {
  server = await startRedis()
  const { hostname, port } = new URL(server.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

beforeEach(async () => {
  prefix = createRedisPrefix()
  errors = []
  ends = []
  redis = await connect()
  proxy.resetCounts()
})

afterEach(async () => {
  for (const end of ends) await end()
})

afterAll(async () => {
  await proxy.close()
  await server.stop()
})

it('brings back the bytes it was given, and nothing where there is nothing', async () => {
  const tier = tierOf()
  const bytes = Buffer.from([0, 255, 13, 10, 128])
  tier.write(`${prefix}a`, bytes, 10_000)
  await tier.flush()
  expect(await tier.read(keyed('b', 'a'))).toEqual([{ bytes: undefined }, { bytes }])
})

it('reads all that is asked for in one turn of the event loop in one round trip', async () => {
  const trips: number[] = []
  const tier = tierOf({ onRoundTrip: () => void trips.push(1) })
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  tier.write(`${prefix}b`, Buffer.from('2'), 10_000)
  const [ab, ba] = await Promise.all([
    tier.read(keyed('a', 'b')),
    Promise.resolve().then(() => tier.read(keyed('b', 'c', 'a'))),
  ])
  expect(texts(ab)).toEqual(['1', '2'])
  expect(texts(ba)).toEqual(['2', undefined, '1'])
  expect(trips).toHaveLength(1)
  expect(proxy.roundTrips()).toBe(1)
})

it('lets writes wait for a read to travel with', async () => {
  const tier = tierOf({ lingerMs: 1e6 })
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  expect(await redis.exists(`${prefix}a`)).toBe(0)
  proxy.resetCounts()
  expect(texts(await tier.read(keyed('a')))).toEqual(['1'])
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
  stall()
  const reads = [tier.read(keyed('a')), tier.read(keyed('b'))]
  for (const outcome of await Promise.allSettled(reads)) expect(outcome.status).toBe('rejected')
  await proxy.restore()
  redis.options.commandTimeout = PATIENT_MS
  await eventually(async () => (await tier.read(keyed('a'))).length === 1)
})

it('tells of writes that were not answered in time', async () => {
  const tier = tierOf()
  stall()
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  await tier.flush()
  expect(errors).toHaveLength(1)
  await proxy.restore()
})

it('rejects at once where Redis is gone, and reads again once it is back', async () => {
  const tier = tierOf()
  await proxy.cut()
  await eventually(() => redis.status !== 'ready')
  await expect(tier.read(keyed('a'))).rejects.toThrow()
  await proxy.restore()
  await eventually(async () => (await tier.read(keyed('a'))).length === 1)
})

it('rejects what was under way when Redis died', async () => {
  const tier = tierOf()
  proxy.stall()
  const read = tier.read(keyed('a'))
  await proxy.cut()
  await expect(read).rejects.toThrow()
  await proxy.restore()
})

it('tells of a write that Redis refuses, and answers the read that travelled with it', async () => {
  await redis.set(`${prefix}a`, '1')
  await redis.config('SET', 'maxmemory', '1')
  const tier = tierOf()
  tier.write(`${prefix}b`, Buffer.from('2'), 10_000)
  expect(texts(await tier.read(keyed('a')))).toEqual(['1'])
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('OOM')])
  await redis.config('SET', 'maxmemory', '0')
})

it('brings entries, and leases on those that are missing, in one round trip', async () => {
  const tier = tierOf({ lingerMs: 1e6 })
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  tier.release(`${prefix}a`, 'nobody')
  const [one, other] = await Promise.all([
    tier.read([...keyed('a', 'b', 'c'), ...leased('b', 'x')]),
    tier.read([...leased('a', 'y'), ...leased('b', 'y', 'x')]),
  ])
  expect(one).toEqual([{ bytes: Buffer.from('1') }, {}, {}, { lease: 'mine' }])
  const byX = { lease: { holder: 'x', leftMs: expect.any(Number) } }
  expect(other).toEqual([{ bytes: Buffer.from('1') }, byX, { lease: 'mine' }])
  expect(proxy.roundTrips()).toBe(1)
  expect(errors).toEqual([])
})

it('gives every lease an end, also one that is taken away or waited for', async () => {
  const tier = tierOf()
  const endsInMs = () => redis.pttl(`lease:{${prefix}a}`)
  await tier.read(leased('a', 'x'))
  const first = await endsInMs()
  expect(first).toBeGreaterThan(50_000)
  await tier.read(leased('a', 'y'))
  const waitedFor = await endsInMs()
  expect(waitedFor).toBeGreaterThan(50_000)
  expect(waitedFor).toBeLessThanOrEqual(first)
  await tier.read([{ key: `${prefix}a`, lease: { holder: 'y', ms: 29_999.5, from: 'x' } }])
  const takenAway = await endsInMs()
  expect(takenAway).toBeGreaterThan(20_000)
  expect(takenAway).toBeLessThanOrEqual(30_000)
})

it('lets a release wait for a read to travel with, behind what was written before', async () => {
  const tier = tierOf({ lingerMs: 1e6 })
  await tier.read(leased('a', 'x'))
  proxy.resetCounts()
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  tier.release(`${prefix}a`, 'x')
  expect(await tier.read(keyed('a'))).toEqual([{ bytes: Buffer.from('1') }])
  expect(proxy.roundTrips()).toBe(1)
  expect(await redis.exists(`lease:{${prefix}a}`)).toBe(0)
})

it('sends a release that waits in vain for a read by itself', async () => {
  const tier = tierOf({ lingerMs: 1 })
  await tier.read(leased('a', 'x'))
  tier.release(`${prefix}a`, 'x')
  await eventually(async () => (await redis.exists(`lease:{${prefix}a}`)) === 0)
})

it('says that a lease was given back where somebody waits for it, and nowhere else', async () => {
  const { tier, messages } = await overheardTier()
  await tier.read([...leased('a', 'x'), ...leased('b', 'x', 'y'), ...leased('c', 'x', 'y')])
  tier.release(`${prefix}a`, 'x')
  tier.release(`${prefix}b`, 'y')
  tier.release(`${prefix}c`, 'x')
  await tier.flush()
  await eventually(() => messages.length > 0)
  expect(messages).toEqual([`${prefix}c`])
})

it('wakes with a secret by what is signed for this key on this channel, and by nothing else', async () => {
  let forged = 0
  const secrets = ['a secret that all processes of a fleet have']
  const { tier, channel, messages } = await overheardTier({ secrets, onForged: () => forged++ })
  let woken = 0
  for (const name of ['a', 'b']) tier.onRelease(prefix + name, () => woken++)
  await tier.read(leased('b', 'x', 'y'))
  tier.release(`${prefix}b`, 'x')
  await eventually(() => woken === 1)
  const [signed = ''] = messages
  const lies = [`${prefix}a`, `${signed.slice(0, 27)}${prefix}a`, '', 'nonsense']
  for (const lie of lies) await redis.publish(channel, lie)
  await eventually(() => forged === lies.length)
  expect(woken).toBe(1)
  expect(errors).toEqual([])
})

it('wakes those who waited for a holder that lost its lease when the next one is done', async () => {
  const { tier, messages } = await overheardTier()
  await tier.read(leased('a', 'x', 'y'))
  await tier.read([{ key: `${prefix}a`, lease: { holder: 'z', ms: 60_000, from: 'x' } }])
  tier.release(`${prefix}a`, 'x')
  await tier.flush()
  tier.release(`${prefix}a`, 'z')
  await tier.flush()
  await eventually(() => messages.length > 0)
  expect(messages).toEqual([`${prefix}a`])
})

it('wakes who is told to wait by an answer that the release overtook', async () => {
  const { tier, channel } = await overheardTier()
  const direct = await connect(server.url)
  const holder = tierOf({ redis: direct, channel, subscriber: await connectSubscriber(server.url) })
  await holder.read(leased('a', 'x'))
  const woken = new Promise<void>((wake) => tier.onRelease(`${prefix}a`, wake))
  const asks = tier.read(leased('a', 'y'))
  proxy.delay(100)
  await eventually(async () => (await direct.get(`lease:{${prefix}a}`)) === '+x')
  holder.release(`${prefix}a`, 'x')
  await holder.flush()
  expect(await asks).toEqual([{ lease: { holder: 'x', leftMs: expect.any(Number) } }])
  await woken
  await proxy.restore()
})

it('wakes after Redis was gone and came back', async () => {
  const { tier, channel } = await overheardTier({}, proxy.through(server.url))
  await proxy.cut()
  await eventually(() => redis.status !== 'ready')
  await proxy.restore()
  await eventually(async () => (await redis.pubsub('NUMSUB', channel))[1] === 1)
  await tier.read(leased('a', 'x', 'y'))
  const woken = new Promise<void>((wake) => tier.onRelease(`${prefix}a`, wake))
  tier.release(`${prefix}a`, 'x')
  await woken
})

it('wakes nobody once it is stopped, and leaves nothing on its subscriber', async () => {
  const { tier, subscriber } = await overheardTier()
  const before = subscriber.listenerCount('message')
  await tier.stop()
  expect(subscriber.listenerCount('message')).toBe(before - 1)
})

it('hands out leases without a subscriber, and wakes nobody', async () => {
  const tier = tierOf()
  let woken = false
  expect(await tier.read(leased('a', 'x', 'y'))).toMatchObject([{ lease: 'mine' }, { lease: { holder: 'x' } }])
  tier.onRelease(`${prefix}a`, () => {
    woken = true
  })
  tier.release(`${prefix}a`, 'x')
  await tier.flush()
  expect(await tier.read(leased('a', 'z'))).toEqual([{ lease: 'mine' }])
  expect(woken).toBe(false)
})

it('brings its scripts along again where Redis forgot them', async () => {
  const tier = tierOf()
  await tier.read(leased('a', 'x'))
  await redis.script('FLUSH')
  expect(await tier.read([...leased('a', 'y'), ...leased('b', 'y')])).toMatchObject([
    { lease: { holder: 'x' } },
    { lease: 'mine' },
  ])
  await redis.script('FLUSH')
  tier.release(`${prefix}a`, 'x')
  await tier.flush()
  expect(await redis.exists(`lease:{${prefix}a}`)).toBe(0)
  expect(errors).toEqual([])
})

it('hands out leases again after Redis was restarted', async () => {
  const tier = tierOf()
  await tier.read(leased('a', 'x'))
  await server.restart({ keepData: false })
  await eventually(async () => expect(await tier.read(leased('a', 'y'))).toEqual([{ lease: 'mine' }]))
  tier.release(`${prefix}a`, 'y')
  await tier.flush()
  expect(await redis.exists(`lease:{${prefix}a}`)).toBe(0)
})

it('lets everybody load, and still brings what it has, while Redis is full', async () => {
  const tier = tierOf()
  tier.write(`${prefix}a`, Buffer.from('1'), 10_000)
  await tier.read(leased('c', 'x'))
  await redis.config('SET', 'maxmemory', '1')
  expect(await tier.read([...leased('a', 'x'), ...leased('b', 'x', 'y'), ...leased('c', 'y')])).toEqual([
    { bytes: Buffer.from('1') },
    { lease: 'mine' },
    { lease: 'mine' },
    { lease: 'mine' },
  ])
  tier.release(`${prefix}c`, 'x')
  await tier.flush()
  expect(errors).toEqual([])
  await redis.config('SET', 'maxmemory', '0')
})

it('rejects what asks for a lease while Redis is gone, and tells of releases that fail', async () => {
  const tier = tierOf()
  await proxy.cut()
  await eventually(() => redis.status !== 'ready')
  await expect(tier.read(leased('a', 'x'))).rejects.toThrow()
  expect(errors).toEqual([])
  tier.release(`${prefix}a`, 'x')
  await tier.flush()
  expect(errors).toHaveLength(1)
  await proxy.restore()
})

it('refuses a client that would wait for Redis without end', () => {
  const patient = new Redis(server.url, { lazyConnect: true })
  expect(() => tierOf({ redis: patient })).toThrow('commandTimeout')
})

it('refuses a channel that nobody listens to, and a subscriber that listens to none', () => {
  expect(() => tierOf({ channel: 'leases' })).toThrow('both `subscriber` and `channel`')
  expect(() => tierOf({ subscriber: redis })).toThrow('both `subscriber` and `channel`')
})

/** From here on nothing is answered, and nobody waits for long. */
function stall(): void {
  proxy.stall()
  redis.options.commandTimeout = 50
}

function keyed(...names: string[]): ReadRequest[] {
  return names.map((name) => ({ key: prefix + name }))
}

/** With a lease wanted by each of `holders`, in order. */
function leased(name: string, ...holders: string[]): ReadRequest[] {
  return holders.map((holder) => ({ key: prefix + name, lease: { holder, ms: 60_000 } }))
}

function texts(found: readonly Found[]): (string | undefined)[] {
  return found.map(({ bytes }) => bytes?.toString())
}

function tierOf(options: Partial<RedisTierOptions> = {}): RedisTier {
  return new RedisTier({ redis, onError: (error) => void errors.push(error), ...options })
}

/** A tier that is woken, and whatever is said on its channel. */
async function overheardTier(options: Partial<RedisTierOptions> = {}, url = server.url) {
  const channel = `${prefix}leases`
  const subscriber = await connectSubscriber(url)
  const messages: string[] = []
  subscriber.on('message', (_channel, message) => void messages.push(message))
  const tier = tierOf({ ...options, subscriber, channel })
  await eventually(async () => (await redis.pubsub('NUMSUB', channel))[1] === 1)
  proxy.resetCounts()
  return { tier, subscriber, channel, messages }
}

function connectSubscriber(url: string): Promise<Redis> {
  return connect(url, { commandTimeout: undefined, maxRetriesPerRequest: null })
}

async function connect(url = proxy.through(server.url), options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: PATIENT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 10,
    ...options,
  })
  client.on('error', () => {})
  ends.push(() => client.disconnect())
  await eventually(() => client.status === 'ready')
  return client
}

const PATIENT_MS = 10_000
