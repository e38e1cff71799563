import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix, eventually, sharedServers } from '../harness/index.ts'

/** A process of an engine user, whose one load never ends, and whose lease would last for ten minutes. */
const program = `
  import { Redis } from 'ioredis'
  import { Cache, Ledger, RedisTier } from 'stet/cache'
  const [url, prefix] = process.argv.slice(1)
  const redis = new Redis(url, { commandTimeout: 5000 })
  const subscriber = new Redis(url)
  const remote = new RedisTier({
    redis, subscriber, channel: prefix + 'leases', leasePrefix: prefix + 'lease:', onError: console.error,
  })
  const ledger = new Ledger()
  ledger.restart('a', 0)
  const cache = new Cache({ ledger, settle: async () => {}, remote, namespace: prefix })
  const kind = cache.kind({
    name: 'row', ttlMs: 1000, leaseMs: 600_000, key: String, tags: () => [], load: () => new Promise(() => {}),
  })
  process.once('SIGTERM', async () => {
    await cache.close(50)
    process.exit()
  })
  kind.get(1)`

const redis = new Redis(sharedServers().redisUrl)
let prefix: string

beforeEach(() => {
  prefix = createRedisPrefix()
})

afterAll(() => redis.disconnect())

it('leaves no lease behind when it closes its cache', async () => {
  const user = await startLoading()
  user.kill('SIGTERM')
  expect(await once(user, 'exit')).toEqual([0, null])
  expect(await leases()).toEqual([])
})

it('leaves its lease behind when it is killed, until that ends by itself', async () => {
  const user = await startLoading()
  user.kill('SIGKILL')
  await once(user, 'exit')
  expect(await leases()).toHaveLength(1)
})

/** Resolves once the process holds the lease of the key that it loads. */
async function startLoading(): Promise<ChildProcess> {
  const args = ['--input-type=module', '-e', program, sharedServers().redisUrl, prefix]
  const user = spawn(process.execPath, args, { stdio: 'inherit' })
  await eventually(async () => expect(await leases()).toHaveLength(1))
  return user
}

const leases = () => redis.keys(`${prefix}lease:*`)
