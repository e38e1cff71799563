import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import {
  eventually,
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedis,
} from '../../../test/harness/index.ts'
import { RedisTier } from './redis-tier.ts'
import type { ReadRequest } from './remote-tier.ts'

/** A primary and its replica, each behind a proxy that counts what it is asked. */
let primary: RedisServer
let replica: RedisServer
let writer: FaultProxy
let reader: FaultProxy
let admin: Redis
let lagging: Redis
let tier: RedisTier
let clients: Redis[]
let errors: string[]

beforeAll(async () => {
  primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
  const { port } = new URL(primary.url)
  replica = await startRedis({ args: ['--replicaof', '127.0.0.1', port] })
  writer = await startFaultProxy(target(primary))
  reader = await startFaultProxy(target(replica))
  admin = new Redis(primary.url)
  lagging = new Redis(replica.url)
})

beforeEach(async () => {
  await admin.flushall()
  await follow(true)
  clients = []
  errors = []
  tier = new RedisTier({
    redis: await connect(writer.through(primary.url)),
    reader: await connect(reader.through(replica.url), { readOnly: true }),
    onError: ({ message }) => void errors.push(message),
  })
  resetCounts()
})

afterEach(async () => {
  await tier.stop()
  for (const client of clients) client.disconnect()
  await Promise.all([writer.restore(), reader.restore()])
})

afterAll(async () => {
  for (const client of [admin, lagging]) client.disconnect()
  await Promise.all([writer.close(), reader.close()])
  await Promise.all([primary.stop(), replica.stop()])
})

it('reads what the reader has there alone, in one round trip, leases wanted or not', async () => {
  await stored('a', '1')
  expect(await tier.read([{ key: 'a' }, leased('a', 'x'), { key: 'b' }])).toEqual([bytes('1'), bytes('1'), {}])
  expect(trips()).toEqual({ writer: 0, reader: 1 })
})

it('asks the writer for a lease on what the reader lacks, and there finds what the reader has yet to hear of', async () => {
  await stored('a', '1')
  await follow(false)
  await admin.set('b', '2')
  const wanted = [leased('a', 'x'), leased('b', 'x'), leased('c', 'x'), { key: 'b' }]
  expect(await tier.read(wanted)).toEqual([bytes('1'), bytes('2'), { lease: 'mine' }, {}])
  expect(trips()).toEqual({ writer: 1, reader: 1 })
})

it('asks the writer at once for a lease on what no longer serves', async () => {
  await stored('a', '1')
  await follow(false)
  await admin.set('a', '2')
  const read = await tier.read([{ key: 'a', lease: { holder: 'x', ms: 60_000, evenIfFound: true } }])
  expect(read).toEqual([{ ...bytes('2'), lease: 'mine' }])
  expect(trips()).toEqual({ writer: 1, reader: 0 })
})

it('writes to the writer, and gives leases back there', async () => {
  await tier.read([leased('a', 'x')])
  resetCounts()
  tier.write('a', Buffer.from('1'), 60_000)
  tier.release('a', 'x')
  await tier.flush()
  expect(trips()).toEqual({ writer: 1, reader: 0 })
  expect(await admin.keys('*')).toEqual(['a'])
})

it('reads from the writer while the reader is gone, and for free once its breaker is open', async () => {
  await stored('a', '1')
  await reader.cut()
  await eventually(() => clients[1]?.status !== 'ready')
  for (let time = 0; time < 10; time++) {
    expect(await tier.read([{ key: 'a' }, leased('b', 'x')])).toEqual([bytes('1'), { lease: 'mine' }])
  }
  expect(trips()).toEqual({ writer: 10, reader: 0 })
  expect(errors.at(-1)).toContain('breaker is open')
  await reader.restore()
  resetCounts()
  await eventually(async () => {
    await tier.read([{ key: 'a' }])
    return trips().reader > 1
  })
})

it('reads what the reader has while the writer is gone, and lets everybody load the rest', async () => {
  await stored('a', '1')
  await writer.cut()
  await eventually(() => clients[0]?.status !== 'ready')
  expect(await tier.read([leased('a', 'x'), leased('b', 'x')])).toEqual([bytes('1'), { lease: 'mine' }])
  expect(errors).toHaveLength(1)
  await expect(tier.read([leased('b', 'x')])).rejects.toThrow()
})

it('rejects where both are gone', async () => {
  await Promise.all([writer.cut(), reader.cut()])
  await eventually(() => clients.every(({ status }) => status !== 'ready'))
  await expect(tier.read([{ key: 'a' }])).rejects.toThrow()
})

const bytes = (text: string) => ({ bytes: Buffer.from(text) })

const leased = (key: string, holder: string): ReadRequest => ({ key, lease: { holder, ms: 60_000 } })

/** In both places. */
async function stored(key: string, value: string): Promise<void> {
  await admin.set(key, value)
  await eventually(async () => (await lagging.get(key)) === value)
}

/** False: the replica keeps what it has, and hears of nothing more. */
async function follow(following: boolean): Promise<void> {
  const { hostname, port } = new URL(primary.url)
  if (!following) {
    await lagging.replicaof('NO', 'ONE')
    return
  }
  await lagging.replicaof(hostname, Number(port))
  await eventually(async () => (await lagging.info('replication')).includes('master_link_status:up'))
  await eventually(async () => (await lagging.dbsize()) === (await admin.dbsize()))
}

function trips() {
  return { writer: writer.roundTrips(), reader: reader.roundTrips() }
}

function resetCounts(): void {
  writer.resetCounts()
  reader.resetCounts()
}

async function connect(url: string, options = {}): Promise<Redis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: 2000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 10,
    disconnectTimeout: 100,
    ...options,
  })
  client.on('error', () => {})
  clients.push(client)
  await eventually(() => client.status === 'ready')
  return client
}

function target({ url }: RedisServer) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
