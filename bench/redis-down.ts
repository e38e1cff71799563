import { toGlobalId } from '../src/identity/global-id.ts'
import { Random } from '../src/kernel/random.ts'
import {
  createRedisPrefix,
  createTestDatabase,
  eventually,
  type FaultProxy,
  readMetrics,
  sharedServers,
  startFaultProxy,
  startTestNode,
  type TestNode,
} from '../test/harness/index.ts'
import { seedArticles } from './seed-articles.ts'

/** Compares what reads on one node cost while Redis is well, gone, and hanging, in turns. */
export async function redisDown(): Promise<void> {
  const database = await createTestDatabase()
  const { hostname, port } = new URL(sharedServers().redisUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  const node = await startTestNode({
    databaseUrl: database.url,
    redisUrl: proxy.through(sharedServers().redisUrl),
    redisPrefix: createRedisPrefix(),
    // Too small for all that is read.
    environment: { CACHE_MEMORY_MAX_MB: '2', WORKER: 'off' },
  })
  try {
    await seedArticles(database.url, ARTICLES)
    const states: Record<State, { latencies: number[]; statements: number }> = {
      well: { latencies: [], statements: 0 },
      gone: { latencies: [], statements: 0 },
      hangs: { latencies: [], statements: 0 },
    }
    const random = new Random(Number(process.env.BENCH_SEED ?? 1))
    await bring(proxy, node, 'well')
    await readFor(node, random, 5)
    for (let round = 0; round < ROUNDS; round++) {
      for (const state of Object.keys(states) as State[]) {
        await bring(proxy, node, state)
        const before = await statements(node)
        states[state].latencies.push(...(await readFor(node, random, SECONDS)))
        states[state].statements += (await statements(node)) - before
      }
    }
    print(states)
  } finally {
    await proxy.restore()
    await node.close()
    await proxy.close()
    await database.drop()
  }
}

type State = 'well' | 'gone' | 'hangs'

const ARTICLES = 2000
const READERS = 16
const ROUNDS = 5
const SECONDS = 3

async function bring(proxy: FaultProxy, node: TestNode, state: State): Promise<void> {
  await proxy.restore()
  if (state === 'gone') await proxy.cut()
  if (state === 'hangs') proxy.stall()
  // The first `REDIS_BREAKER_FAILURES` reads wait for Redis. They are not measured.
  const wanted = state === 'well' ? 0 : 2
  await eventually(
    async () => {
      node.cache.clearMemory()
      await read(node, 1)
      return (await metric(node, /^stet_breaker_state\{name="redis"\}/)) === wanted
    },
    { withinMs: 30_000 },
  )
}

/** How long each read took, in milliseconds. Popular articles are read more often: Zipf(1.0). */
async function readFor(node: TestNode, random: Random, seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000
  const latencies: number[] = []
  const reader = async () => {
    while (performance.now() < until) {
      const begun = performance.now()
      await read(node, Math.min(ARTICLES, Math.floor(ARTICLES ** random.next()) + 1))
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return latencies
}

const read = (node: TestNode, n: number) =>
  node.visitor.get(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Article { title body author { displayName } tags { name } } } }',
    { ids: [toGlobalId('Article', n)] },
  )

const statements = (node: TestNode) => metric(node, /^stet_sql_statements_total\{/)

async function metric({ url }: TestNode, which: RegExp): Promise<number> {
  const lines = (await readMetrics(url)).split('\n').filter((line) => which.test(line))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

function print(states: Record<State, { latencies: number[]; statements: number }>): void {
  console.log(`\nredis-down: ${READERS} readers of ${ARTICLES} articles, of which memory holds a part; in turns`)
  const healthy = at(states.well.latencies, 0.5)
  const healthy99 = at(states.well.latencies, 0.99)
  for (const [state, { latencies, statements }] of Object.entries(states)) {
    const [p50, p99] = [at(latencies, 0.5), at(latencies, 0.99)]
    console.log(
      `  ${state.padEnd(6)} p50 ${p50.toFixed(2).padStart(7)} ms × ${(p50 / healthy).toFixed(2)}   p99 ${p99.toFixed(2).padStart(7)} ms × ${(p99 / healthy99).toFixed(2)}   ${(statements / latencies.length).toFixed(3)} statements per request, of ${latencies.length}`,
    )
  }
}

function at(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * quantile)] ?? Number.NaN
}
