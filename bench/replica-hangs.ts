import { toGlobalId } from '../src/identity/global-id.ts'
import {
  type FaultProxy,
  replicaIs,
  startFaultProxy,
  startPostgres,
  startTestNode,
  type TestNode,
} from '../test/harness/index.ts'
import { seedArticles } from './seed-articles.ts'

/** Compares cold reads of a node without a replica, and of one whose replica is well, and hangs, in turns. */
export async function replicaHangs(): Promise<void> {
  const postgres = await startPostgres()
  const standby = await postgres.startStandby()
  const database = await postgres.createDatabase()
  const { hostname, port } = new URL(standby.url)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  const start = (environment: Record<string, string> = {}) => startTestNode({ databaseUrl: database.url, environment })
  const alone = await start()
  await seedArticles(database.url, ARTICLES)
  await standby.caughtUp()
  const beside = await start({ DATABASE_REPLICA_URL: proxy.through(standby.urlOf(database)) })
  try {
    const contestants: Record<
      string,
      { readonly node: TestNode; readonly latencies: number[]; bring(): Promise<unknown> }
    > = {
      'no replica': { node: alone, latencies: [], bring: async () => {} },
      well: { node: beside, latencies: [], bring: () => bringBack(proxy, beside) },
      hangs: { node: beside, latencies: [], bring: async () => proxy.stall() },
    }
    const firsts: number[] = []
    for (const { node, bring } of Object.values(contestants)) {
      await bring()
      await readFor(node, 3)
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [state, { node, latencies, bring }] of Object.entries(contestants)) {
        await bring()
        // While it is found out. Told apart from what follows.
        const first = await readFor(node, 1)
        if (state === 'hangs') firsts.push(...first)
        latencies.push(...(await readFor(node, SECONDS)))
      }
    }
    const [none = []] = Object.values(contestants).map(({ latencies }) => latencies)
    console.log(`\nreplica-hangs: ${READERS} readers of ${ARTICLES} articles that no tier holds; in turns`)
    for (const [state, { latencies }] of Object.entries(contestants)) print(state, latencies, none)
    print('hangs, the first second', firsts, none)
  } finally {
    await proxy.restore()
    await Promise.all([alone.close(), beside.close()])
    await proxy.close()
    await standby.stop()
    await postgres.stop()
  }
}

const ARTICLES = 2000
const READERS = 16
const ROUNDS = 5
const SECONDS = 3

async function bringBack(proxy: FaultProxy, node: TestNode): Promise<void> {
  await proxy.restore()
  await replicaIs(node, 'well')
}

/** How long each read took, in milliseconds. */
async function readFor(node: TestNode, seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1000
  const latencies: number[] = []
  let next = 0
  const reader = async () => {
    while (performance.now() < until) {
      // Every article once, and then all of them again: each read is a miss.
      if (next % ARTICLES === 0) node.cache.clearMemory()
      const id = 1 + (next++ % ARTICLES)
      const begun = performance.now()
      await read(node, id)
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return latencies
}

const read = (node: TestNode, n: number) =>
  node.visitor.get('query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Article { title body } } }', {
    ids: [toGlobalId('Article', n)],
  })

function print(state: string, latencies: readonly number[], none: readonly number[]): void {
  const figure = (quantile: number) => {
    const ms = at(latencies, quantile)
    return `${ms.toFixed(2).padStart(8)} ms × ${(ms / at(none, quantile)).toFixed(2)}`
  }
  console.log(
    `  ${state.padEnd(24)} p50 ${figure(0.5)}   p99 ${figure(0.99)}   max ${figure(1)}   of ${latencies.length}`,
  )
}

function at(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN
}
