import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix, eventually, sharedServers } from '../../test/harness/index.ts'
import { TinyDatabase } from '../../test/models/tiny-database.ts'
import { Cache, Ledger, RedisTier, type RemoteTier } from './index.ts'

/** Two processes that know the engine by its door alone, and share a Redis. A lease outlives every test. */
let prefix: string
let clients: Redis[]
let database: TinyDatabase<string>
let started = 0

beforeEach(() => {
  prefix = createRedisPrefix()
  clients = []
  started = 0
  database = new TinyDatabase()
  database.write('a', '1')
  database.sequence()
})

afterEach(() => {
  for (const client of clients) client.disconnect()
})

it('gives back its lease when it stops with a load under way', async () => {
  const [stopping, other] = [await start(), await start()]
  stopping.hold()
  void stopping.rows.get('a')
  await stopping.begun
  const waiting = other.rows.get('a')
  await eventually(async () => expect(other.awaited).toBe(1))
  await stopping.cache.close(20)
  expect(await waiting).toBe('1')
  expect(other.loads).toBe(1)
  await other.cache.close(20)
  expect(await leases()).toEqual([])
})

it('stops at once while it holds no lease', async () => {
  const { cache, rows } = await start()
  await rows.get('a')
  await cache.close(FOREVER_MS)
  expect(await leases()).toEqual([])
})

it('waits for a load that ends in time, and others find what it brought', async () => {
  const [stopping, other] = [await start(), await start()]
  const letGo = stopping.hold()
  const read = stopping.rows.get('a')
  await stopping.begun
  const closed = stopping.cache.close(FOREVER_MS)
  letGo()
  await closed
  expect(await read).toBe('1')
  expect(await other.rows.get('a')).toBe('1')
  expect(other.loads).toBe(0)
  expect(await leases()).toEqual([])
})

it('can be closed twice, and takes no lease afterwards', async () => {
  const stopping = await start()
  const letGo = stopping.hold()
  const first = stopping.rows.get('a')
  await stopping.begun
  await Promise.all([stopping.cache.close(20), stopping.cache.close(FOREVER_MS)])
  await stopping.cache.close(FOREVER_MS)
  const second = stopping.rows.get('b')
  letGo()
  expect([await first, await second]).toEqual(['1', undefined])
  expect(await leases()).toEqual([])
})

it('gives back a lease that it is granted only after it has stopped waiting', async () => {
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const stopping = await start((tier) => ({
    wakes: tier.wakes,
    read: async (wanted) => {
      await answered
      return tier.read(wanted)
    },
    write: tier.write.bind(tier),
    release: tier.release.bind(tier),
    onRelease: tier.onRelease.bind(tier),
    flush: tier.flush.bind(tier),
  }))
  const read = stopping.rows.get('a')
  await stopping.cache.close(20)
  answer()
  expect(await read).toBe('1')
  await eventually(async () => expect(await leases()).toEqual([]))
})

async function start(wrap: (tier: RemoteTier) => RemoteTier = (tier) => tier) {
  const [redis, subscriber] = [connect(), connect()]
  const channel = `${prefix}leases`
  const tier = new RedisTier({ redis, subscriber, channel, leasePrefix: `${prefix}lease:`, onError: fail })
  const ledger = new Ledger()
  database.tell(ledger)
  let open: Promise<void> = Promise.resolve()
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const process = { loads: 0, awaited: 0 }
  const cache = new Cache({
    ledger,
    settle: async () => {},
    remote: wrap(tier),
    namespace: prefix,
    observer: { onLeaseAwaited: () => void process.awaited++ },
  })
  const rows = cache.kind<string, string>({
    name: 'row',
    ttlMs: 60_000,
    leaseMs: FOREVER_MS,
    loadTimeout: { hardMs: FOREVER_MS },
    key: (key) => key,
    tags: (key) => [`rows:${key}`],
    load: async (keys) => {
      process.loads++
      begin()
      await open
      return database.snapshot(keys)
    },
  })
  // A message that comes before the subscription would be lost.
  started++
  await eventually(async () => expect(await redis.pubsub('NUMSUB', channel)).toEqual([channel, started]))
  return Object.assign(process, {
    cache,
    rows,
    begun,
    /** Loads from now on end when what this returns is called. */
    hold: () => {
      let letGo = () => {}
      open = new Promise((resolve) => {
        letGo = resolve
      })
      return letGo
    },
  })
}

function connect(): Redis {
  const client = new Redis(sharedServers().redisUrl, { commandTimeout: 5000 })
  clients.push(client)
  return client
}

const leases = () => connect().keys(`${prefix}lease:*`)

const fail = (error: Error): never => {
  throw error
}

const FOREVER_MS = 600_000
