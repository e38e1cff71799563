import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { RunningStet, runStet } from '../api/run-stet.ts'
import {
  canStartRedisCluster,
  eventually,
  GraphQLClient,
  type RedisCluster,
  readMetrics,
  startRedisCluster,
  TEST_JWT_SECRET,
  TEST_METRICS_TOKEN,
  type TestNode,
} from '../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './races/article-world.ts'

/** Whole nodes before a Redis Cluster to which things happen: every answer is right all the while. */
const describeWhereItCan = canStartRedisCluster() ? describe : describe.skip

describeWhereItCan('nodes before a Redis Cluster', () => {
  let cluster: RedisCluster
  let world: ArticleWorld
  let environment: NodeJS.ProcessEnv
  let nodes: readonly [TestNode, TestNode]

  beforeAll(async () => {
    cluster = await startRedisCluster()
  })

  beforeEach(async () => {
    world = await createArticleWorld()
    environment = { REDIS_CLUSTER: cluster.addresses, REDIS_BREAKER_RESET_MS: '100' }
    nodes = [await startNode(), await startNode()]
  })

  afterEach(() => world.end())

  afterAll(() => cluster.stop())

  it('share their entries through it, and tell each other of writes', async () => {
    const [writer, hearer] = nodes
    expect(await readTitle(writer.visitor)).toBe('old')
    await writer.flush()
    expect(await readTitle(hearer.visitor)).toBe('old')
    expect(await sum(hearer, /^stet_cache_requests_total\{.*tier="redis",result="hit"/)).toBeGreaterThan(0)
    const heard = () => sum(hearer, /^stet_invalidations_total\{source="redis"/)
    // On a busy machine it may read the log before it hears: until it has heard of one.
    for (let round = 1; round <= 5 || (await heard()) === 0; round++) {
      await writeTitle(writer.admin, `round ${round}`)
      await eventually(() => hearer.ledger.seen === writer.ledger.seen)
      expect(await readTitle(hearer.visitor)).toBe(`round ${round}`)
    }
    expect(await sum(hearer, /^stet_breaker_state/)).toBe(0)
  })

  it('count together what clients spend, whatever masters their buckets lie on', async () => {
    const limits = { RATE_LIMIT_MODE: 'enforce', RATE_LIMIT_COST_MAX: '1000', RATE_LIMIT_COST_PER_SECOND: '1' }
    const enforcing = { redisUrl: undefined, environment: { ...environment, ...limits, TRUST_PROXY: 'loopback' } }
    const [one, two] = [await world.startNode(enforcing), await world.startNode(enforcing)]
    const addresses = Array.from({ length: 12 }, (_, n) => `198.51.100.${n}`)
    let asked = 0
    /** What nobody asked for before: a kept answer costs nothing. */
    const ask = (node: TestNode, address: string, first: number) => {
      const query = `{ tags(first: ${first}) { t${asked++}: nodes { id name } } }`
      return node.visitor.send(query, {}, { 'x-forwarded-for': address })
    }
    for (const address of addresses) {
      for (const first of [97, 98, 99, 100]) expect((await ask(one, address, first)).status).toBe(200)
      await eventually(async () => (await ask(two, address, 1)).status === 429)
    }
    const keys = cluster.masters.map(async ({ admin }) => (await admin.keys(`${world.redisPrefix}*198.51.100*`)).length)
    expect((await Promise.all(keys)).filter((count) => count > 0)).toHaveLength(3)
    expect(await sum(one, /^stet_redis_errors_total/)).toBe(0)
  })

  it('answer right while a thousand slots move', async () => {
    const [from, to] = [cluster.masters[0], cluster.masters[1]]
    const stop = keepChecking()
    for (let slot = 0; slot < 5461; slot += 5) {
      const { hostname, port } = new URL(String(to?.server.url))
      await to?.admin.cluster('SETSLOT', slot, 'IMPORTING', String(from?.id))
      await from?.admin.cluster('SETSLOT', slot, 'MIGRATING', String(to?.id))
      const keys = (await from?.admin.cluster('GETKEYSINSLOT', slot, 100)) ?? []
      if (keys.length > 0) await from?.admin.call('MIGRATE', hostname, port, '', '0', '1000', 'KEYS', ...keys)
      await to?.admin.cluster('SETSLOT', slot, 'NODE', String(to.id))
      await from?.admin.cluster('SETSLOT', slot, 'NODE', String(to?.id))
    }
    expect(await stop()).toBeGreaterThan(3)
  })

  it('are looked after from the command line, all servers of it', async () => {
    const stet = new RunningStet(['serve', '--json'], commandEnvironment())
    const { url } = await stet.serving()
    const visitor = new GraphQLClient(url)
    const list = '{ articles { nodes { title author { displayName } tags { name } } } users { nodes { username } } }'
    // Twice: from then on its answer is kept.
    for (let n = 0; n < 2; n++) await visitor.get(list)
    await visitor.get('query { a: article(slug: "one") { id } b: article(slug: "two") { id } }')
    // It flushes what waits.
    await stet.end('SIGTERM')
    const stats = await run('cache', 'stats', '--json')
    const entries = Object.values<{ entries: number; standing: number }>(stats.kinds)
    const total = entries.reduce((all, { entries: count }) => all + count, 0)
    expect(total).toBeGreaterThan(5)
    expect(entries.every((kind) => kind.standing === kind.entries)).toBe(true)
    const holding = cluster.masters.map(async ({ admin }) => (await admin.keys(`${world.redisPrefix}1:*`)).length > 0)
    expect((await Promise.all(holding)).filter(Boolean).length).toBeGreaterThan(1)
    // Whole answers can't be made anew from their keys.
    const right = total - stats.kinds.response.entries
    expect(await run('cache', 'verify', '--json')).toMatchObject({ right, wrong: 0, complete: true })
    expect(await run('cache', 'get', 'user', '1', '--json')).toMatchObject({ standing: 'standing' })
    expect(await run('cache', 'purge', '--all', '--json')).toEqual({ purged: total, complete: true })
    expect((await run('cache', 'stats', '--json')).kinds).toEqual({})
  })

  it('answer right while a master dies and its replica takes over', async () => {
    const stop = keepChecking()
    await cluster.masters[2]?.server.kill()
    await cluster.masters[2]?.proxy.cut()
    await eventually(async () => String(await cluster.replicas[2]?.admin.role()).startsWith('master'))
    await eventually(async () => {
      const hits = await sum(nodes[1], /^stet_cache_requests_total\{.*tier="redis",result="hit"/)
      return hits > 0 && (await sum(nodes[1], /^stet_breaker_state/)) === 0
    })
    expect(await stop()).toBeGreaterThan(3)
    // They hear each other again, too.
    const { token } = await writeTitle(nodes[0].admin, 'at last')
    await eventually(() => nodes[1].ledger.seen >= nodes[0].ledger.seen)
    for (const node of nodes) expect(await readTitle(node.visitor, token)).toBe('at last')
  })

  const startNode = () =>
    // The beat stands in for messages that are lost with a server.
    world.startNode({ redisUrl: undefined, environment: { ...environment, LOG_BEAT_MS: '50' } })

  /** Writes on one node and reads on both, over and over. Returns what stops that, and tells how often all of it was right. */
  function keepChecking(): () => Promise<number> {
    let going = true
    let rounds = 0
    const work = (async () => {
      while (going) {
        const title = `title ${rounds}`
        const { token } = await writeTitle(nodes[rounds % 2]?.admin ?? nodes[0].admin, title)
        for (const node of nodes) {
          expect(await readTitle(node.visitor, token)).toBe(title)
          await node.flush()
          node.cache.clearMemory()
          expect(await readTitle(node.visitor, token)).toBe(title)
        }
        rounds++
      }
    })()
    work.catch(() => {})
    return async () => {
      going = false
      await work
      return rounds
    }
  }

  const commandEnvironment = () => ({
    ...environment,
    PORT: '0',
    LOG_LEVEL: 'silent',
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    METRICS_TOKEN: TEST_METRICS_TOKEN,
    DATABASE_URL: world.database.url,
    REDIS_KEY_PREFIX: world.redisPrefix,
  })

  async function run(...args: string[]) {
    const { stdout, stderr } = await runStet(args, commandEnvironment())
    expect(stderr).toBe('')
    return JSON.parse(stdout)
  }
})

async function sum(node: TestNode, pattern: RegExp): Promise<number> {
  const lines = (await readMetrics(node.url)).split('\n').filter((line) => pattern.test(line))
  return lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
}
