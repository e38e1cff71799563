import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import {
  eventually,
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedis,
  type TestNode,
} from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './article-world.ts'

/** Redis is there, and of no use: it hangs, or answers too late. A proxy counts what is sent to it all the same. */
let server: RedisServer
let proxy: FaultProxy
let world: ArticleWorld
let node: TestNode

beforeAll(async () => {
  server = await startRedis()
  const { hostname, port } = new URL(server.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

beforeEach(async () => {
  world = await createArticleWorld()
})

afterEach(async () => {
  await world.end()
  await proxy.restore()
})

afterAll(async () => {
  await proxy.close()
  await server.stop()
})

it('answers right while Redis is too late for everything, and asks it nothing once its breaker is open', async () => {
  // Without a worker, which asks for jobs in its own time: nobody waits for that.
  node = await startNode({ REDIS_BREAKER_RESET_MS: '600000', WORKER: 'off' })
  expect(await readTitle(node.visitor)).toBe('old')
  expect(await breakerState(node)).toBe(0)
  // Later than REDIS_TIMEOUT_MS, so that its connections stay, and say nothing of their own.
  proxy.delay(1000)
  await eventually(async () => {
    node.cache.clearMemory()
    expect(await readTitle(node.visitor)).toBe('old')
    return (await breakerState(node)) === 2
  })
  await node.flush()
  // In this order: whoever looks at the metrics asks how long the queues are.
  const errors = await metric(node, 'stet_redis_errors_total')
  const sent = proxy.bytes()
  for (let round = 0; round < 20; round++) {
    const { token } = await writeTitle(node.admin, `round ${round}`)
    node.cache.clearMemory()
    expect(await readTitle(node.visitor, token)).toBe(`round ${round}`)
    await node.flush()
  }
  expect(proxy.bytes()).toBe(sent)
  expect(await metric(node, 'stet_redis_errors_total')).toBeGreaterThan(errors)
})

it('goes back to Redis by itself once it answers again', async () => {
  node = await startNode({ REDIS_BREAKER_RESET_MS: '20' })
  proxy.stall()
  await eventually(async () => {
    node.cache.clearMemory()
    expect(await readTitle(node.visitor)).toBe('old')
    return (await breakerState(node)) === 2
  })
  const { token } = await writeTitle(node.admin, 'new')
  await proxy.restore()
  await eventually(async () => {
    node.cache.clearMemory()
    expect(await readTitle(node.visitor, token)).toBe('new')
    return (await breakerState(node)) === 0
  })
  const hits = await hitsInRedis(node)
  await eventually(async () => {
    await node.flush()
    node.cache.clearMemory()
    expect(await readTitle(node.visitor, token)).toBe('new')
    return (await hitsInRedis(node)) > hits
  })
})

it('starts and serves while Redis hangs', async () => {
  proxy.stall()
  node = await startNode()
  const { token } = await writeTitle(node.admin, 'new')
  expect(await readTitle(node.visitor, token)).toBe('new')
})

const startNode = (environment: NodeJS.ProcessEnv = {}): Promise<TestNode> =>
  world.startNode({ redisUrl: proxy.through(server.url), environment: { REDIS_TIMEOUT_MS: '100', ...environment } })

const breakerState = (of: TestNode) => metric(of, 'stet_breaker_state{name="redis"}')

async function hitsInRedis(of: TestNode): Promise<number> {
  const lines = (await metrics(of)).filter((line) =>
    /^stet_cache_requests_total\{.*tier="redis",result="hit"/.test(line),
  )
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function metric(of: TestNode, name: string): Promise<number> {
  return Number(
    (await metrics(of))
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1),
  )
}

const metrics = async ({ url }: TestNode) => (await (await fetch(`${url}/metrics`)).text()).split('\n')
