import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import {
  canStartRedisCluster,
  eventually,
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedis,
  startRedisCluster,
} from '../../test/harness/index.ts'
import { addresses } from '../app/option-parsers.ts'
import { hearChannel } from './hear-channel.ts'
import { openRedis, type RedisClients, type RedisServers } from './open-redis.ts'

/** Between the subscriber and Redis stands a proxy that lets its connection go dead without a sign. */
let server: RedisServer
let proxy: FaultProxy
let publisher: Redis
let clients: RedisClients | undefined
let heard: string[]
let errors: string[]
let cuts: number

beforeEach(async () => {
  server = await startRedis()
  const { hostname, port } = new URL(server.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  publisher = new Redis(server.url)
  heard = []
  errors = []
  cuts = 0
})

afterEach(async () => {
  await clients?.close()
  publisher.disconnect()
  await proxy.close()
  await server.stop()
})

it('notices that its connection is dead, and hears again on another', async () => {
  const { watch } = open({ url: proxy.through(server.url) })
  await hears()
  expect(watch.isWell()).toBe(true)
  expect(proxy.halfOpen('subscribe')).toBe(1)
  await eventually(() => !watch.isWell())
  await hears()
  expect(watch.isWell()).toBe(true)
  expect(cuts).toBe(1)
  expect(errors).toContain("Redis was silent for 300 ms, and the subscriber's connection was cut")
})

it('notices it also before the connection is ready', async () => {
  proxy.stall()
  const { watch } = open({ url: proxy.through(server.url) })
  await eventually(() => cuts > 1)
  expect(watch.isWell()).toBe(false)
  await proxy.restore()
  await hears()
})

it('notices it while it has yet to be told that it subscribed', async () => {
  const { subscriber } = open({ url: proxy.through(server.url) })
  await hears()
  // With the first word of the next connection nothing gets through any more.
  subscriber.once('ready', () => void proxy.halfOpen())
  proxy.reset()
  await eventually(() => cuts > 0)
  await hears()
})

it('leaves a connection alone on which nobody speaks, and after a pause of this process', async () => {
  const { watch, subscriber } = open({ url: server.url })
  await hears()
  let closes = 0
  subscriber.on('close', () => void closes++)
  for (let pause = 0; pause < 3; pause++) {
    const until = performance.now() + 500
    while (performance.now() < until);
    await hears()
  }
  const { bytesRead } = subscriber.stream
  await eventually(() => subscriber.stream.bytesRead > bytesRead + 200)
  expect([closes, cuts, watch.isWell()]).toEqual([0, 0, true])
})

it('watches any client that hears a channel', async () => {
  const subscriber = new Redis(proxy.through(server.url), { retryStrategy: () => 20, disconnectTimeout: 100 })
  subscriber.on('error', ({ message }) => void errors.push(message))
  hearChannel({ subscriber, channel: 'channel', hear: (message) => void heard.push(message), onError: () => {} })
  hearChannel({ subscriber, channel: 'other', hear: () => {}, onError: () => {} })
  await hears()
  expect(proxy.halfOpen('subscribe')).toBe(1)
  await hears()
  expect(errors.join()).toContain('Redis was silent for 1000 ms')
  subscriber.disconnect()
})

const itWhereItCan = canStartRedisCluster() ? it : it.skip

itWhereItCan('goes on to another node of a cluster', async () => {
  const cluster = await startRedisCluster({ replicas: 0 })
  try {
    const { commands, watch } = open({ cluster: addresses(cluster.addresses) })
    const hears = (message: string) =>
      eventually(async () => {
        await commands.publish('channel', message)
        return heard.includes(message)
      })
    await hears('before')
    const dead = cluster.masters.filter((node) => node.proxy.halfOpen('subscribe') > 0)
    expect(dead).toHaveLength(1)
    await hears('after')
    await eventually(() => watch.isWell())
    expect(cuts).toBeGreaterThan(0)
    await clients?.close()
  } finally {
    await cluster.stop()
  }
})

function open(servers: Partial<RedisServers>): RedisClients {
  clients = openRedis({
    servers: { url: undefined, readerUrl: undefined, cluster: undefined, sentinels: undefined, ...servers },
    timeoutMs: 1000,
    breaker: {},
    watch: { everyMs: 50, silenceMs: 300, onCut: () => void cuts++ },
    onError: ({ message }) => void errors.push(message),
  })
  const { subscriber } = clients
  hearChannel({ subscriber, channel: 'channel', hear: (message) => void heard.push(message), onError: () => {} })
  return clients
}

/** Resolves once a message arrives. */
async function hears(): Promise<void> {
  const message = `message ${heard.length}`
  await eventually(async () => {
    await publisher.publish('channel', message)
    return heard.includes(message)
  })
}
