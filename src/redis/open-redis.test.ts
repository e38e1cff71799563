import { afterEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import {
  canStartRedisCluster,
  eventually,
  startFaultProxy,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../../test/harness/index.ts'
import { addresses } from '../app/option-parsers.ts'
import { RedisTier } from '../cache/index.ts'
import { hearChannel } from './hear-channel.ts'
import { openRedis, type RedisClients, type RedisServers } from './open-redis.ts'

const itWhereItCan = canStartRedisCluster() ? it : it.skip

let ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.toReversed()) await end()
  ends = []
})

itWhereItCan('goes where the sentinels say, and elsewhere when they say so', async () => {
  const primary = await startRedis()
  ends.push(() => primary.stop())
  const port = Number(new URL(primary.url).port)
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(port)] })
  const replicaPort = Number(new URL(replica.url).port)
  ends.push(() => replica.stop())
  const sentinel = await startRedisSentinel({ name: 'ours', port, password: 'secret' })
  ends.push(() => sentinel.stop())
  const follows = async () => {
    const [replicas] = (await sentinel.admin.call('SENTINEL', 'REPLICAS', 'ours')) as string[][]
    const flags = replicas?.[replicas.indexOf('master-link-status') + 1]
    return flags === 'ok'
  }
  await eventually(follows)

  const sentinels = { addresses: addresses(sentinel.address), name: 'ours', username: undefined, password: 'secret' }
  const { commands, subscriber } = await open({ sentinels })
  const heard: string[] = []
  hearChannel({ subscriber, channel: 'channel', hear: (message) => void heard.push(message), onError: () => {} })
  expect(await commands.each(['key'], (client, key) => client.set(key, '1'))).toEqual(['OK'])
  await primary.kill()
  await eventually(async () =>
    expect(await commands.each(['key'], (client, key) => client.set(key, '2'))).toEqual(['OK']),
  )
  const direct = new Redis(replicaPort)
  ends.push(async () => direct.disconnect())
  expect(await direct.get('key')).toBe('2')
  await eventually(async () => {
    await commands.publish('channel', 'still there')
    return heard.length > 0
  })
})

itWhereItCan('minds the slots of a cluster behind one end point, and reads at its reader', async () => {
  const cluster = await startRedisCluster({ masters: 1 })
  ends.push(() => cluster.stop())
  const [[writer], [reader]] = [cluster.masters, cluster.replicas]
  if (!writer || !reader) throw new Error('there is one of each')
  const { commands, reader: commandsOfReader } = await open({
    url: writer.proxy.through(writer.server.url),
    readerUrl: reader.proxy.through(reader.server.url),
  })
  const tier = new RedisTier({
    redis: commands,
    ...(commandsOfReader && { reader: commandsOfReader }),
    onError: () => {},
  })
  ends.push(() => tier.stop())
  const keys = ['a', 'b', 'c', 'd']
  const wanted = keys.map((key) => ({ key, lease: { holder: 'x', ms: 60_000 } }))
  for (const key of keys) tier.write(key, Buffer.from(key), 60_000)
  await tier.flush()
  const all = keys.map((key) => ({ bytes: Buffer.from(key) }))
  // The first time it is told that keys of several slots are too much for one command.
  await eventually(async () => expect(await tier.read(wanted)).toEqual(all))
  writer.proxy.resetCounts()
  reader.proxy.resetCounts()
  expect(await tier.read(wanted)).toEqual(all)
  const missing = keys.map((key) => ({ key: `${key}!`, lease: { holder: 'x', ms: 60_000 } }))
  await eventually(async () => expect(await tier.read(missing)).toEqual(missing.map(() => ({ lease: 'mine' }))))
  expect(reader.proxy.roundTrips()).toBe(2)
})

it('goes on to the server that took over where a fail-over left it with one that takes no writes', async () => {
  const server = await startRedis()
  ends.push(() => server.stop())
  const { commands } = await open({ url: server.url })
  const admin = new Redis(server.url)
  ends.push(async () => admin.disconnect())
  const before = String(await admin.client('LIST'))
  await admin.replicaof('127.0.0.1', 1)
  await expect(commands.each(['key'], (client, key) => client.set(key, '1'))).rejects.toThrow('READONLY')
  const own = (list: string) => list.split('\n').map((line) => /^id=(\d+)/.exec(line)?.[1])
  await eventually(async () => {
    const now = own(String(await admin.client('LIST')))
    return now.some((id) => id !== undefined && !own(before).includes(id)) && commands.client.status === 'ready'
  })
})

it('throws nothing behind the back of whoever closes it just when it is connected again', async () => {
  const server = await startRedis()
  ends.push(() => server.stop())
  const { hostname, port } = new URL(server.url)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  ends.push(() => proxy.close())
  const unheard: unknown[] = []
  const listen = (reason: unknown) => void unheard.push(reason)
  process.on('unhandledRejection', listen)
  const heard: Error[] = []
  const { commands, subscriber, close } = await open({ url: proxy.through(server.url) })
  hearChannel({ subscriber, channel: 'channel', hear: () => {}, onError: (error) => void heard.push(error) })
  await eventually(async () => {
    const [, listeners] = (await commands.client.pubsub('NUMSUB', 'channel')) as [string, number]
    return listeners === 1
  })
  await proxy.cut()
  await eventually(() => subscriber.status !== 'ready')
  const closed = new Promise<void>((resolve) =>
    subscriber.once('ready', () => {
      // It has asked for its channel, and will not be told.
      proxy.stall()
      close().then(resolve)
    }),
  )
  await proxy.restore()
  await closed
  await eventually(() => heard.length > 0)
  process.off('unhandledRejection', listen)
  expect(unheard).toEqual([])
})

it('says why it is not ready in time', async () => {
  const server = await startRedis()
  ends.push(() => server.stop())
  const admin = new Redis(server.url)
  ends.push(async () => admin.disconnect())
  await admin.config('SET', 'requirepass', 'secret')
  const { failure } = await open({ url: server.url })
  expect(failure?.message).toContain('NOAUTH')
})

async function open(servers: Partial<RedisServers>): Promise<RedisClients & { readonly failure: Error | undefined }> {
  const redis = openRedis({
    servers: { url: undefined, readerUrl: undefined, cluster: undefined, sentinels: undefined, ...servers },
    timeoutMs: 1000,
    breaker: { resetMs: 50 },
    onError: () => {},
  })
  ends.push(() => redis.close())
  return { ...redis, failure: await redis.whenReady() }
}
