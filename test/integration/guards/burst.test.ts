import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import type pg from 'pg'
import { eventually, type PostgresServer, type TestNode } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from '../races/article-world.ts'
import { StatementLog, startLoggingPostgres } from '../strategies/statement-log.ts'

/** Before a PostgreSQL that writes down what it is asked. */
let postgres: PostgresServer
let world: ArticleWorld

beforeAll(async () => {
  postgres = await startLoggingPostgres()
})

afterAll(() => postgres.stop())

beforeEach(async () => {
  world = await createArticleWorld(() => postgres.createDatabase())
})

afterEach(() => world.end())

it('numbers ten thousand writes many at a time, and brings every node to the end of the log', async () => {
  // One hears of them by Redis, the other by NOTIFY alone.
  const nodes = [await start(), await start({ redisUrl: undefined })] as const
  await world.sql(
    `insert into articles (slug, title, body, status, author_id, published_at)
     select 'more-' || n, 'old', 'Body', 'PUBLISHED', 1, now() from generate_series(3, ${ARTICLES}) n`,
  )
  await caughtUp(nodes)
  const [before] = await world.sql('select max(position)::int as position from stet.log')
  const statements = new StatementLog(postgres.url)
  const mark = await statements.mark()

  const outside = Array.from({ length: WRITERS }, async (_, writer) => {
    const client = await world.connect()
    for (let n = 0; n < WRITES_EACH; n++) await writeOutside(client, 1 + ((n * WRITERS + writer) % ARTICLES), n)
  })
  const through = nodes.map(async (node, index) => {
    for (let n = 0; n < WRITES_THROUGH; n++) await writeTitle(node.admin, `${index} ${n}`, 1 + (n % ARTICLES))
  })
  await Promise.all([...outside, ...through])
  await caughtUp(nodes)

  const writes = WRITERS * WRITES_EACH + 2 * WRITES_THROUGH
  const [log] = await world.sql(
    `select count(*)::int as records, max(position)::int - $1 as positions, count(distinct xmin::text)::int as batches
       from stet.log where position > $1`,
    [before?.position],
  )
  expect(log).toMatchObject({ records: writes, positions: writes })
  const reads = await statements.since(mark, /from stet\.log where position >=/)
  console.log(`${writes} writes: ${log?.batches} batches, ${reads.length} reads of the log by two nodes`)
  // How many depends on how fast they come: nodes look by the clock, not by the write.
  expect(Number(log?.batches)).toBeLessThan(writes / 4)
  expect(reads.length).toBeLessThan(writes / 4)
  // What they answer is what is there.
  const [last] = await world.sql('select title from articles where id = 1')
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe(last?.title)
}, 120_000)

it('numbers what one transaction wrote by ten thousand statements', async () => {
  const node = await start()
  await world.sql(
    `do $$ begin for n in 1..10000 loop insert into tags (name, slug) values ('tag ' || n, 'tag-' || n); end loop; end $$`,
  )
  await caughtUp([node])
  expect(await node.visitor.get('{ tags { totalCount } }')).toEqual({ tags: { totalCount: 10_000 } })
}, 120_000)

const ARTICLES = 50
const WRITERS = 8
const WRITES_EACH = 700
const WRITES_THROUGH = 100

const start = (options: { readonly redisUrl?: undefined } = {}): Promise<TestNode> =>
  world.startNode({ ...options, environment: { LOG_BEAT_MS: '50' } })

async function writeOutside(client: pg.Client, id: number, n: number): Promise<void> {
  await client.query(`begin; update articles set title = 'outside ${n}' where id = ${id}; commit`)
}

async function caughtUp(nodes: readonly TestNode[]): Promise<void> {
  await eventually(
    async () => {
      const [row] = await world.sql(
        'select coalesce(max(position), 0)::int as tip, (select count(*)::int from stet.pending) as pending from stet.log',
      )
      return row?.pending === 0 && nodes.every(({ ledger }) => ledger.seen === row.tip)
    },
    { withinMs: 60_000 },
  )
}
