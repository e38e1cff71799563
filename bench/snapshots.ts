import pg from 'pg'
import { toGlobalId } from '../src/identity/global-id.ts'
import { Random, Zipf } from '../src/kernel/random.ts'
import {
  createRedisPrefix,
  createTestDatabase,
  readMetric,
  sharedServers,
  startTestNode,
  type TestNode,
} from '../test/harness/index.ts'
import { seedArticles } from './seed-articles.ts'

/**
 * How many answers must be made again, because what they read was never there at once, while articles get other titles a hundred
 * times a second: any of all articles, or of the few that everybody reads.
 */
export async function snapshots(): Promise<void> {
  const database = await createTestDatabase()
  const redisPrefix = createRedisPrefix()
  const start = () =>
    startTestNode({
      databaseUrl: database.url,
      redisUrl: sharedServers().redisUrl,
      redisPrefix,
      environment: { WORKER: 'off' },
    })
  const nodes = [await start(), await start(), await start()]
  const writer = new pg.Client({ connectionString: database.url })
  await writer.connect()
  try {
    await seedArticles(database.url, ARTICLES)
    const { rows } = await writer.query<{ id: number }>(
      'select id::int from articles order by published_at desc nulls last, id desc',
    )
    const newest = rows.map(({ id }) => id)
    const random = new Random(Number(process.env.BENCH_SEED ?? 1))
    const zipf = new Zipf(ARTICLES)
    const all = () => random.below(ARTICLES)
    await run(nodes, writer, { newest, random, seconds: 3, pick: all })
    console.log(`\nsnapshots: ${READERS} readers on three nodes, ${ARTICLES} articles, ${WRITES} writes a second`)
    for (const [name, pick] of [
      ['of any article', all],
      ['of those that are read most', () => zipf.pick(random)],
    ] as const) {
      const { answers, made, again, inTransactions } = await run(nodes, writer, {
        newest,
        random,
        seconds: SECONDS,
        pick,
      })
      const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`
      console.log(
        `  ${name.padEnd(28)} ${answers} answers, ${percent(made, answers)} of them made; made again: ${percent(again, answers)} of all, ${percent(again, made)} of those made, in a transaction ${inTransactions}`,
      )
    }
  } finally {
    await writer.end()
    for (const node of nodes) await node.close()
    await database.drop()
  }
}

const ARTICLES = 2000
const READERS = 12
const WRITES = 100
const SECONDS = 20

interface Load {
  /** Row ids, in the order of the list. */
  readonly newest: readonly number[]
  readonly random: Random
  readonly seconds: number
  /** Which article of `newest` is written next. */
  readonly pick: () => number
}

async function run(nodes: readonly TestNode[], writer: pg.Client, { newest, random, seconds, pick }: Load) {
  const before = await counts(nodes)
  const begun = performance.now()
  const isOver = () => performance.now() - begun > seconds * 1000
  let answers = 0
  const reader = async (node: TestNode) => {
    while (!isOver()) {
      await node.visitor.get(queryOf(random))
      answers++
    }
  }
  const write = async () => {
    for (let written = 0; !isOver(); written++) {
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, begun + (1000 * written) / WRITES - performance.now())),
      )
      await writer.query('update articles set title = $1 where id = $2', [`Title ${random.below(1e6)}`, newest[pick()]])
    }
  }
  await Promise.all([
    write(),
    ...Array.from({ length: READERS }, (_, index) => reader(nodes[index % nodes.length] as TestNode)),
  ])
  const after = await counts(nodes)
  return {
    answers,
    made: after.made - before.made,
    again: after.again - before.again,
    inTransactions: after.inTransactions - before.inTransactions,
  }
}

/** Pages of lists, with what belongs to their articles. Early pages are asked for more often. */
function queryOf(random: Random): string {
  const user = 1 + random.below(40)
  const article = '{ title author { displayName } tags { name } }'
  const order = ['NEWEST', 'OLDEST', 'TITLE'][random.below(3)]
  return random.below(2) === 0
    ? `{ articles(first: 20, orderBy: ${order}) { totalCount nodes ${article} } }`
    : `{ user(id: "${toGlobalId('User', user)}") { displayName articles(first: ${5 + random.below(10)}) { totalCount nodes ${article} } } }`
}

async function counts(nodes: readonly TestNode[]) {
  const sum = async (name: string, labels: Record<string, string> = {}) => {
    const each = await Promise.all(nodes.map(({ url }) => readMetric(url, name, labels)))
    return each.reduce((total, count) => total + count, 0)
  }
  return {
    made:
      (await sum('stet_response_cache_total', { result: 'miss' })) +
      (await sum('stet_response_cache_total', { result: 'uncached' })),
    again: await sum('stet_answers_made_again_total'),
    inTransactions: await sum('stet_answers_made_again_total', { attempt: '3' }),
  }
}
