import { afterEach, beforeEach, expect, it } from '@jest/globals'
import {
  eventually,
  type FaultProxy,
  readMetrics,
  sharedServers,
  startFaultProxy,
  type TestNode,
} from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld } from '../races/article-world.ts'

/** Two nodes that hold nothing, and no Redis to help them. */
let world: ArticleWorld
let proxy: FaultProxy
let nodes: readonly TestNode[]

beforeEach(async () => {
  world = await createArticleWorld()
  await world.sql(
    `insert into articles (slug, title, body, status, author_id, published_at)
     select 'cold-' || n, 'title ' || n, 'Body', 'PUBLISHED', 1, now() from generate_series(1, ${ARTICLES}) n`,
  )
  const { hostname, port } = new URL(sharedServers().redisUrl)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
})

afterEach(async () => {
  await proxy.restore()
  await world.end()
  await proxy.close()
})

it.each([
  ['is gone', () => proxy.cut()],
  ['hangs', () => proxy.stall()],
])(
  'asks the database for so much at once and no more where Redis %s, and answers all of hundreds of reads',
  async (_how, break_) => {
    nodes = await startTwo()
    await break_()
    const unlock = await lockArticles()
    const numbers = Array.from({ length: ARTICLES }, (_, index) => index + 1)
    const answers = numbers.map((n) =>
      node(n).visitor.send(`{ article(slug: "cold-${n}") { title author { username } } }`),
    )
    // All of them are here, and have found nothing.
    await eventually(async () => (await sum('stet_cache_requests_total', /tier="memory",result="miss"/)) >= ARTICLES, {
      withinMs: 120_000,
    })
    expect(await sum('stet_database_loads_running')).toBe(nodes.length * LOADS_MAX)
    expect(await sum('stet_database_loads_waiting')).toBeGreaterThan(0)
    await eventually(async () => expect(await loads(`wait_event_type = 'Lock'`)).toBe(nodes.length * LOADS_MAX))

    await unlock()
    let done = false
    const all = Promise.all(answers).finally(() => {
      done = true
    })
    let most = 0
    while (!done) most = Math.max(most, await loads(`state = 'active'`))
    expect(most).toBeLessThanOrEqual(nodes.length * LOADS_MAX)
    for (const [index, answer] of (await all).entries()) {
      expect(answer).toMatchObject({
        status: 200,
        errors: [],
        data: { article: { title: `title ${index + 1}`, author: { username: 'ada' } } },
      })
    }
  },
  120_000,
)

it('loads once for all who read the same on a node', async () => {
  nodes = await startTwo()
  await proxy.cut()
  // So that what follows is not the first to find Redis gone, nor to read the author.
  for (const each of nodes) await read(each, 1)
  const before = await sum('stet_sql_statements_total')
  for (const each of nodes) await read(each, 2)
  const forOne = (await sum('stet_sql_statements_total')) - before
  const unlock = await lockArticles()
  const answers = nodes.flatMap((each) => Array.from({ length: 200 }, () => read(each, 3)))
  await eventually(async () => (await sum('stet_cache_flights_joined_total')) >= nodes.length * 199)
  expect(await loads(`wait_event_type = 'Lock'`)).toBe(nodes.length)
  await unlock()
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['title 3']))
  expect((await sum('stet_sql_statements_total')) - before).toBe(2 * forOne)
})

const ARTICLES = 500
const LOADS_MAX = 3

const startTwo = (): Promise<TestNode[]> => Promise.all([start(), start()])

const start = () =>
  world.startNode({
    redisUrl: proxy.through(sharedServers().redisUrl),
    environment: {
      WORKER: 'off',
      DATABASE_LOADS_MAX: String(LOADS_MAX),
      DATABASE_LOADS_WAIT_MS: '600000',
      CACHE_LOAD_TIMEOUT_MS: '600000',
      DATABASE_STATEMENT_TIMEOUT_MS: '600000',
      REDIS_TIMEOUT_MS: '100',
    },
  })

const node = (n: number) => nodes[n % nodes.length] as TestNode

async function read({ visitor }: TestNode, n: number): Promise<string | undefined> {
  const { data, errors } = await visitor.send<{ article: { title: string } }>(
    `{ article(slug: "cold-${n}") { title } }`,
  )
  expect(errors).toEqual([])
  return data.article.title
}

/** Statements of the cache that the database has at hand, and of which that holds. */
async function loads(which: string): Promise<number> {
  const [row] = await world.sql(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%stet.as_of%' and ${which}`,
  )
  return Number(row?.count)
}

/** Over both nodes, of the series that match. */
async function sum(metric: string, labels = /^/): Promise<number> {
  const texts = await Promise.all(nodes.map(({ url }) => readMetrics(url)))
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => (line.startsWith(`${metric}{`) || line.startsWith(`${metric} `)) && labels.test(line))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Until it is told to unlock, whoever reads articles waits. */
async function lockArticles(): Promise<() => Promise<unknown>> {
  const client = await world.connect()
  await client.query('begin; lock table articles in access exclusive mode')
  return () => client.query('rollback')
}
