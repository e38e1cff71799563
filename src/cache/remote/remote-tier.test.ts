import { AssertionError } from 'node:assert'
import { expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisPrefix, eventually, sharedServers } from '../../../test/harness/index.ts'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import { TinyRemote } from '../../../test/models/tiny-remote.ts'
import { HeldLeases } from './held-leases.ts'
import { RedisTier } from './redis-tier.ts'
import { remoteTierContract, type TiersUnderTest } from './remote-tier.contract.ts'
import type { RemoteTier } from './remote-tier.ts'

const tiers = {
  'A RedisTier': () => openRedisTiers(),
  'A RedisTier with a reader': () => openRedisTiers({ withReader: true }),
  'A RedisTier behind what a cache keeps of its leases': async () => {
    const { one, other, ...rest } = await openRedisTiers()
    return { one: new HeldLeases(one), other: new HeldLeases(other), ...rest }
  },
  'A TinyRemote': openTinyTiers,
}

for (const [name, open] of Object.entries(tiers)) {
  for (const each of remoteTierContract(open)) it(`${name} ${each.name}`, each.run)
}

it('holds a tier that wakes nobody only to what it stores', async () => {
  const open = async () => {
    const remote = new TinyRemote()
    remote.wakes = false
    remote.onRelease = () => () => {}
    return { one: remote, other: remote }
  }
  for (const { run } of remoteTierContract(open)) await run()
})

it.each<[fault: string, promise: string, faultOf: (tier: TinyRemote) => Partial<RemoteTier>]>([
  ['forgets what it stores', 'brings back the bytes', () => ({ write: () => {} })],
  [
    'answers in another order',
    'brings back the bytes',
    (tier) => ({ read: async (all) => (await tier.read(all)).toReversed() }),
  ],
  [
    'gives a lease to everybody',
    'lets one load',
    (tier) => ({ read: async (all) => all.map(({ key }) => ({ bytes: tier.stored.get(key)?.bytes, lease: 'mine' })) }),
  ],
  ['keeps a lease for ever', 'grants a lease again when its holder', () => ({ release: () => {} })],
  [
    'takes a release from anybody',
    'takes a lease away',
    (tier) => ({ release: (key) => void tier.leases.delete(key) }),
  ],
])('finds out a tier that %s', async (_fault, promise, faultOf) => {
  const remote = new TinyRemote()
  const tier: RemoteTier = {
    wakes: true,
    read: (all) => remote.read(all),
    write: (...entry) => remote.write(...entry),
    release: (...lease) => remote.release(...lease),
    onRelease: (...waiting) => remote.onRelease(...waiting),
    flush: () => remote.flush(),
    ...faultOf(remote),
  }
  const cases = remoteTierContract(async () => ({ one: tier, other: tier }))
  const broken = cases.filter(({ name }) => name.startsWith(promise))
  expect(broken).toHaveLength(1)
  for (const { run } of broken) await expect(run()).rejects.toThrow(AssertionError)
})

async function openTinyTiers(): Promise<TiersUnderTest> {
  const clock = new ManualClock()
  const remote = new TinyRemote(clock)
  return { one: remote, other: remote, pass: (ms) => clock.advance(ms) }
}

async function openRedisTiers({ withReader = false } = {}): Promise<TiersUnderTest> {
  const keyPrefix = createRedisPrefix()
  const channel = `${keyPrefix}leases`
  const clients: Redis[] = []
  const errors: Error[] = []
  const connect = () => {
    const client = new Redis(sharedServers().redisUrl, { keyPrefix, commandTimeout: 5000 })
    clients.push(client)
    return client
  }
  const open = () =>
    new RedisTier({
      redis: connect(),
      subscriber: connect(),
      channel,
      onError: (error) => errors.push(error),
      ...(withReader && { reader: connect() }),
    })
  const one = open()
  const other = open()
  // A message that comes before the subscription would be lost.
  await eventually(async () => (await connect().pubsub('NUMSUB', channel))[1] === 2)
  return {
    one,
    other,
    close: async () => {
      await Promise.all([one.stop(), other.stop()])
      for (const client of clients) client.disconnect()
      expect(errors).toEqual([])
    },
  }
}
