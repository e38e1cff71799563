import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  canStartRedisCluster,
  eventually,
  type RedisCluster,
  type RedisClusterNode,
  startRedisCluster,
} from '../../test/harness/index.ts'
import { addresses } from '../app/option-parsers.ts'
import { type ReadRequest, RedisTier } from '../cache/index.ts'
import { keySlot } from './key-slot.ts'
import { openRedis, type RedisClients } from './open-redis.ts'

/** Three masters, each with a replica and behind a proxy that counts what it is asked. */
const describeWhereItCan = canStartRedisCluster() ? describe : describe.skip

describeWhereItCan('in a Redis Cluster', () => {
  let cluster: RedisCluster
  let redis: RedisClients
  let tier: RedisTier
  let errors: string[]
  let breakers: Map<string, string>

  beforeAll(async () => {
    cluster = await startRedisCluster()
  })

  beforeEach(async () => {
    errors = []
    breakers = new Map()
    await open()
  })

  afterEach(async () => {
    await tier.stop()
    await redis.close()
    for (const { proxy } of [...cluster.masters, ...cluster.replicas]) await proxy.restore()
  })

  afterAll(() => cluster.stop())

  it('reads and writes what is on all nodes in one round trip to each, leases too', async () => {
    await inOneTripToEach(() => write(KEYS))
    await inOneTripToEach(async () => {
      const found = await tier.read([...KEYS.map((key) => ({ key })), ...KEYS.map((key) => leased(`${key} missing`))])
      expect(found.slice(0, KEYS.length)).toEqual(KEYS.map((key) => ({ bytes: Buffer.from(key) })))
      expect(found.slice(KEYS.length)).toEqual(KEYS.map(() => ({ lease: 'mine' })))
    })
    await inOneTripToEach(async () => {
      for (const key of KEYS) tier.release(`${key} missing`, 'x')
      await tier.flush()
    })
    expect(errors).toEqual([])
  })

  it('goes to no node that has nothing to say', async () => {
    const [key = ''] = KEYS
    await write(KEYS)
    await eventually(async () => {
      resetCounts()
      await tier.read([{ key }, leased(key)])
      expect(trips().filter((count) => count > 0)).toEqual([1])
    })
  })

  it('reads at replicas where it is told to, and what they lack at their masters', async () => {
    await tier.stop()
    await redis.close()
    await open({ clusterReads: 'replicas' })
    await write(KEYS)
    await replicated()
    const replicaTrips = () => cluster.replicas.map(({ proxy }) => proxy.roundTrips())
    // Their connections are made when they are first asked.
    expect(await read(KEYS)).toEqual(KEYS)
    await eventually(async () => {
      resetCounts()
      for (const { proxy } of cluster.replicas) proxy.resetCounts()
      expect(await read(KEYS)).toEqual(KEYS)
      expect([trips(), replicaTrips()]).toEqual([
        [0, 0, 0],
        [1, 1, 1],
      ])
    })
    // A lease is a master's to give, also where its replica has heard of none.
    const found = await tier.read(KEYS.map((key) => leased(`${key} missing`)))
    expect(found).toEqual(KEYS.map(() => ({ lease: 'mine' })))
    expect(errors).toEqual([])
  })

  it('reads at masters what a replica has that hangs, and then leaves that one alone', async () => {
    await tier.stop()
    await redis.close()
    await open({ clusterReads: 'replicas' })
    await write(KEYS)
    await replicated()
    await read(KEYS)
    const hanging = cluster.replicas[1]
    hanging?.proxy.stall()
    await eventually(async () => {
      const found = await tier.read(KEYS.map((key) => leased(key)))
      expect(found.map(({ bytes }) => bytes?.toString())).toEqual(KEYS)
      return breakers.get(`redis reader ${hanging?.address}`) === 'open'
    })
    await eventually(async () => {
      const sent = hanging?.proxy.bytes()
      resetCounts()
      expect(await read(KEYS)).toEqual(KEYS)
      expect(hanging?.proxy.bytes()).toBe(sent)
      // The master of what it has is asked instead, and no other.
      expect(trips()).toEqual([0, 1, 0])
    })
  })

  it('wakes who waits for a lease, wherever the lease was and whoever listens', async () => {
    for (const key of KEYS.slice(0, 6)) {
      await tier.read([leased(key, 'x'), leased(key, 'y')])
      const woken = new Promise<void>((wake) => tier.onRelease(key, wake))
      tier.release(key, 'x')
      await tier.flush()
      await woken
    }
  })

  it('listens elsewhere when the node it listens at is lost', async () => {
    const { port } = redis.subscriber.options
    const node = [...cluster.masters, ...cluster.replicas].find(({ proxy }) => proxy.port === port)
    await node?.proxy.cut()
    await eventually(async () => redis.subscriber.options.port !== port && (await listeners()) === 1)
  })

  it('misses what a hanging node has, and no more; and then leaves that one alone', async () => {
    await write(KEYS)
    const hanging = cluster.masters[1]
    hanging?.proxy.stall()
    for (let time = 0; time < 3; time++) {
      const found = await tier.read([...KEYS.map((key) => ({ key })), ...KEYS.map((key) => leased(key))])
      for (const [index, key] of KEYS.entries()) {
        const lost = holder(key) === hanging
        expect(found[index]).toEqual(lost ? {} : { bytes: Buffer.from(key) })
        expect(found[KEYS.length + index]).toEqual(lost ? { lease: 'mine' } : { bytes: Buffer.from(key) })
      }
    }
    expect(breakers.get(`redis ${hanging?.address}`)).toBe('open')
    // Of those who read only what it has, nobody waits for it; and who reads more waits for the others alone.
    const sent = hanging?.proxy.bytes() ?? 0
    const lost = KEYS.filter((key) => holder(key) === hanging)
    await expect(tier.read(lost.map((key) => ({ key })))).rejects.toThrow('breaker is open')
    for (let time = 0; time < 20; time++) await tier.read(KEYS.map((key) => ({ key })))
    // A quarter of what they would have sent. The client may ask it for the map of slots meanwhile, over a new connection.
    expect(hanging?.proxy.bytes()).toBeLessThan(sent + 5 * lost.join().length)
    expect([...breakers.values()].filter((state) => state === 'open')).toHaveLength(1)
  })

  it('finds what a node had that hung, once it is back', async () => {
    await tier.stop()
    await redis.close()
    await open({ resetMs: 50 })
    await write(KEYS)
    const hanging = cluster.masters[1]
    hanging?.proxy.stall()
    await eventually(async () => {
      await read(KEYS)
      return breakers.get(`redis ${hanging?.address}`) === 'open'
    })
    await hanging?.proxy.restore()
    await eventually(async () => expect(await read(KEYS)).toEqual(KEYS))
  })

  it('finds what a node has whose connection is lost again and again, before the map would be read anyway', async () => {
    await tier.stop()
    await redis.close()
    await open({ resetMs: 20 })
    await write(KEYS)
    for (let round = 0; round < 10; round++) {
      for (const { proxy } of round % 3 === 2 ? cluster.masters : cluster.masters.slice(0, 1)) proxy.reset()
      await eventually(async () => expect(await read(KEYS)).toEqual(KEYS), { withinMs: 3000 })
    }
  })

  it('loses nothing but what is on its way while slots move, and then asks the right nodes', async () => {
    const [from, to] = cluster.masters as [RedisClusterNode, RedisClusterNode]
    const moving = [...new Set(KEYS.filter((key) => holder(key) === from).map(keySlot))]
    await write(KEYS)
    for (const slot of moving) {
      await to.admin.cluster('SETSLOT', slot, 'IMPORTING', from.id)
      await from.admin.cluster('SETSLOT', slot, 'MIGRATING', to.id)
    }
    expect(await read(KEYS)).toEqual(KEYS)
    // Half of them are under way.
    for (const slot of moving.slice(0, moving.length / 2)) await migrate(slot, from, to)
    const underWay = await read(KEYS)
    expect(underWay.filter((text) => text === undefined)).toHaveLength(moving.length >> 1)
    for (const [index, text] of underWay.entries()) expect([undefined, KEYS[index]]).toContain(text)
    // No lease is granted in a slot that moves, and none refused: who wants to load does.
    const free = (await tier.read(KEYS.map((key) => leased(key)))).filter(({ bytes }) => !bytes)
    expect(free).toEqual(moving.map(() => ({ lease: 'mine' })))
    expect(errors.every((message) => /^(ASK|TRYAGAIN) /.test(message))).toBe(true)
    // Now the others, and all of it is told.
    for (const slot of moving) await migrate(slot, from, to)
    for (const { admin } of cluster.masters) {
      for (const slot of moving) await admin.cluster('SETSLOT', slot, 'NODE', to.id)
    }
    await eventually(async () => expect(await read(KEYS)).toEqual(KEYS))
    errors.length = 0
    // One of them has nothing left.
    await inOneTripToEach(() => write(KEYS), 2)
    await inOneTripToEach(async () => expect(await read(KEYS)).toEqual(KEYS), 2)
    expect(errors).toEqual([])
  })

  it('finds again what a lost master had when its replica has taken over', async () => {
    const [master, replica] = [cluster.masters[2], cluster.replicas[2]]
    await write(KEYS)
    await eventually(async () => (await replica?.admin.dbsize()) === (await master?.admin.dbsize()))
    await master?.server.kill()
    await master?.proxy.cut()
    let missed = 0
    await eventually(async () => {
      const found = await read(KEYS)
      for (const [index, text] of found.entries()) expect([undefined, KEYS[index]]).toContain(text)
      missed = found.filter((text) => text === undefined).length
      return missed === 0 && String(await replica?.admin.role()).startsWith('master')
    })
    const others = KEYS.map((key) => `${key} again`)
    // Until all masters agree on who took over, some refuse what is written.
    await eventually(async () => {
      await write(others)
      expect(await read(others)).toEqual(others)
    })
    await eventually(() => breakers.get(`redis ${replica?.address}`) === 'closed')
  })

  const KEYS = Array.from({ length: 60 }, (_, index) => `stet:1:article.x:${index}`)

  async function open({ resetMs = 1e9, clusterReads = 'masters' as 'masters' | 'replicas' } = {}): Promise<void> {
    redis = openRedis({
      servers: {
        url: undefined,
        readerUrl: undefined,
        cluster: addresses(cluster.addresses),
        clusterReads,
        sentinels: undefined,
      },
      timeoutMs: 1000,
      breaker: { failures: 3, resetMs, onBreaker: (name, state) => void breakers.set(name, state) },
      onError: () => {},
    })
    expect(await redis.whenReady()).toBeUndefined()
    tier = new RedisTier({
      redis: redis.commands,
      ...(redis.reader && { reader: redis.reader }),
      subscriber: redis.subscriber,
      channel: 'stet:leases',
      leasePrefix: 'stet:lease:',
      lingerMs: 1e6,
      onError: ({ message }) => void errors.push(message),
    })
    // All are connected to, listened at and empty: the clients have nothing of their own to say any more.
    await eventually(async () => {
      await redis.commands.each(KEYS, (client, key) => client.get(key))
    })
    for (const { client } of redis.commands.masters()) await client?.flushall()
    await eventually(async () => (await listeners()) === 1)
    resetCounts()
  }

  /** Again until it is so: the client's own questions may come between, and a request may come in two pieces. That adds trips, and takes none away. */
  async function inOneTripToEach(work: () => Promise<unknown>, nodes = 3): Promise<void> {
    await eventually(async () => {
      resetCounts()
      await work()
      expect(trips().filter((count) => count > 0)).toEqual(Array(nodes).fill(1))
    })
  }

  async function write(keys: readonly string[]): Promise<void> {
    for (const key of keys) tier.write(key, Buffer.from(key), 60_000)
    await tier.flush()
  }

  async function read(keys: readonly string[]): Promise<(string | undefined)[]> {
    return (await tier.read(keys.map((key) => ({ key })))).map(({ bytes }) => bytes?.toString())
  }

  const leased = (key: string, by = 'x'): ReadRequest => ({ key, lease: { holder: by, ms: 60_000 } })

  /** As far as the tier knows. */
  const holder = (key: string) =>
    cluster.masters.find(({ address }) => redis.commands.nodeFor(key)?.name === `redis ${address}`)

  const trips = () => cluster.masters.map(({ proxy }) => proxy.roundTrips())

  function resetCounts(): void {
    for (const { proxy } of cluster.masters) proxy.resetCounts()
  }

  /** Every replica has what its master has. */
  async function replicated(): Promise<void> {
    await eventually(async () => {
      const sizes = (of: readonly RedisClusterNode[]) => Promise.all(of.map(({ admin }) => admin.dbsize()))
      expect(await sizes(cluster.replicas)).toEqual(await sizes(cluster.masters))
    })
  }

  async function listeners(): Promise<number> {
    const nodes = [...cluster.masters, ...cluster.replicas]
    const counts = await Promise.all(nodes.map(({ admin }) => admin.pubsub('NUMSUB', 'stet:leases')))
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }

  async function migrate(slot: number, from: RedisClusterNode, to: RedisClusterNode): Promise<void> {
    const keys = await from.admin.cluster('GETKEYSINSLOT', slot, 1000)
    const { hostname, port } = new URL(to.server.url)
    if (keys.length > 0) await from.admin.call('MIGRATE', hostname, port, '', '0', '1000', 'KEYS', ...keys)
  }
})
