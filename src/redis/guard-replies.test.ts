import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import {
  canStartRedisCluster,
  eventually,
  type FaultProxy,
  startFaultProxy,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '../../test/harness/index.ts'
import { addresses } from '../app/option-parsers.ts'
import { hearChannel } from './hear-channel.ts'
import { openRedis, type RedisClients, type RedisServers } from './open-redis.ts'

/** What no server should send, and some do: a proxy for another protocol, a server with a fault, a middlebox. */
const FAULTS = [
  '$-1\r\n',
  '*-1\r\n',
  '+OK\r\n',
  '+x\r\n',
  ':5\r\n',
  '$0\r\n\r\n',
  '*0\r\n',
  '*1\r\n$-1\r\n',
  '*1\r\n*3\r\n:0\r\n:99999999999\r\n*-1\r\n',
  '*1\r\n$7\r\nmessage\r\n',
  '*3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n',
  '*3\r\n$9\r\nsubscribe\r\n$-1\r\n:1\r\n',
  '-ERR out of the blue\r\n',
  '-MOVED\r\n',
  '-MOVED 1 nowhere\r\n',
  '-ASK\r\n',
  '>2\r\n$7\r\nmessage\r\n$1\r\nx\r\n',
  '_\r\n',
  '%1\r\n+a\r\n',
  '?what\r\n',
  'HTTP/1.1 400 Bad Request\r\n\r\n',
  '$-5\r\n',
  '$10\r\nabc\r\n',
  '$99999999999\r\n',
  '*99999999999\r\n',
  '*30000000\r\n'.repeat(20),
  '*1\r\n'.repeat(10_000),
  '+OK\r\n$-1\r\n:7\r\n',
]

let ends: (() => Promise<unknown>)[]
let uncaught: unknown[]
const catchUncaught = (error: unknown) => void uncaught.push(error)

beforeEach(() => {
  ends = []
  uncaught = []
  process.on('uncaughtException', catchUncaught).on('unhandledRejection', catchUncaught)
})

afterEach(async () => {
  for (const end of ends.toReversed()) await end()
  process.off('uncaughtException', catchUncaught).off('unhandledRejection', catchUncaught)
  expect(uncaught).toEqual([])
})

it('drops a connection on which something comes that nobody asked for, and opens another', async () => {
  const { proxy, url } = await startServer()
  const world = await open({ url })
  for (const fault of FAULTS) {
    const connected = [world.connected(world.commands.client as Redis), world.connected(world.subscriber)]
    expect(proxy.inject(fault, '')).toBe(2)
    await Promise.all(connected)
    await world.works()
  }
})

it('drops a connection on which nothing but nonsense is answered, also while it is being opened', async () => {
  const { proxy, url } = await startServer()
  const world = await open({ url })
  for (const fault of FAULTS) {
    proxy.replaceReplies(fault)
    await Promise.allSettled(Array.from({ length: 3 }, () => world.commands.client.get('key')))
    proxy.reset()
    await world.closed()
    await proxy.restore()
    proxy.reset()
    await world.works()
  }
})

it('takes no reply in part for a reply, and waits for the rest no longer than for silence', async () => {
  const { proxy, url } = await startServer()
  const world = await open({ url })
  // A command is under way, whose answer seems to be a long one.
  proxy.replaceReplies('$500000\r\n')
  const outcome = world.commands.client.get('key').catch((error: Error) => error)
  await eventually(async () => (await outcome) instanceof Error)
  let isConnectedAgain = false
  void world.connected(world.commands.client as Redis).then(() => {
    isConnectedAgain = true
  })
  await proxy.restore()
  // All replies after it would be taken for the rest of it.
  await eventually(() => {
    world.commands.client.ping().catch(() => {})
    return isConnectedAgain
  })
  await world.works()
})

const itWhereItCan = canStartRedisCluster() ? it : it.skip

itWhereItCan('survives nonsense from the nodes of a cluster, also in the place of its map', async () => {
  const cluster = await startRedisCluster({ replicas: 0 })
  ends.push(() => cluster.stop())
  const world = await open({ cluster: addresses(cluster.addresses) })
  const proxies = cluster.masters.map(({ proxy }) => proxy)
  for (const fault of FAULTS) {
    for (const proxy of proxies) proxy.inject(fault, '')
    for (const proxy of proxies) proxy.replaceReplies(fault)
    await Promise.allSettled([world.commands.client.ping(), world.commands.client.get('key')])
    for (const proxy of proxies) proxy.reset()
    await new Promise<void>((resolve) => world.commands.client.once('node error', () => resolve()))
    for (const proxy of proxies) await proxy.restore()
    for (const proxy of proxies) proxy.reset()
    await world.works()
  }
})

itWhereItCan('survives nonsense from sentinels, and from the server that they name', async () => {
  const { proxy, port } = await startServer()
  const sentinel = await startRedisSentinel({ name: 'ours', port, password: 'secret' })
  ends.push(() => sentinel.stop())
  const [host = '', sentinelPort] = sentinel.address.split(':')
  const between = await startFaultProxy({ host, port: Number(sentinelPort) })
  ends.push(() => between.close())
  const sentinels = {
    addresses: [{ host: '127.0.0.1', port: between.port }],
    name: 'ours',
    username: undefined,
    password: 'secret',
  }
  const world = await open({ sentinels })
  for (const fault of ['*2\r\n$-1\r\n$-1\r\n', '*2\r\n$1\r\nx\r\n$3\r\nabc\r\n', ...FAULTS]) {
    between.replaceReplies(fault)
    proxy.reset()
    await world.closed()
    await between.restore()
    await world.works()
    proxy.replaceReplies(fault)
    proxy.reset()
    await world.closed()
    await proxy.restore()
    proxy.reset()
    await world.works()
  }
})

/** A server, and a proxy before it. */
async function startServer(): Promise<{ readonly proxy: FaultProxy; readonly url: string; readonly port: number }> {
  const server = await startRedis()
  ends.push(() => server.stop())
  const { hostname, port } = new URL(server.url)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  ends.push(() => proxy.close())
  return { proxy, url: proxy.through(server.url), port: proxy.port }
}

async function open(servers: Partial<RedisServers>) {
  const redis: RedisClients = openRedis({
    servers: { url: undefined, readerUrl: undefined, cluster: undefined, sentinels: undefined, ...servers },
    timeoutMs: 300,
    breaker: { resetMs: 20 },
    watch: { everyMs: 50, silenceMs: 500 },
    onError: () => {},
  })
  ends.push(() => redis.close())
  const { commands, subscriber } = redis
  const heard = new Set<string>()
  hearChannel({ subscriber, channel: 'channel', hear: (message) => void heard.add(message), onError: () => {} })
  const connected = (client: Redis) => new Promise<void>((resolve) => client.once('ready', resolve))
  let round = 0
  const works = async () => {
    const message = `round ${round++}`
    await eventually(async () => {
      await commands.each(['key'], (client, key) => client.set(key, message))
      expect(await commands.each(['key'], (client, key) => client.get(key))).toEqual([message])
      await commands.publish('channel', message)
      return heard.has(message)
    })
  }
  await redis.whenReady()
  await works()
  const closed = () =>
    Promise.all(
      [commands.client as Redis, subscriber].map((each) => new Promise<void>((resolve) => each.once('close', resolve))),
    )
  return { ...redis, connected, closed, works }
}
