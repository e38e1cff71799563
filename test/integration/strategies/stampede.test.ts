import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { type Answer, eventually, type PostgresServer } from '../../harness/index.ts'
import { asOf, ROW_READ } from '../races/article-world.ts'
import type { ServedNode } from './served-node.ts'
import { createServedWorld, type ServedWorld } from './served-world.ts'
import { startLoggingPostgres } from './statement-log.ts'

/** A thousand requests at once over four processes, and what PostgreSQL is asked for. */
let postgres: PostgresServer
let world: ServedWorld
let nodes: readonly [ServedNode, ServedNode, ServedNode, ServedNode]

beforeAll(async () => {
  postgres = await startLoggingPostgres()
})

afterAll(() => postgres.stop())

describe('where entries live for two seconds', () => {
  serveFour({ CACHE_TTL_ARTICLE: '2' })

  it('asks PostgreSQL once for one key that has expired', async () => {
    for (const node of nodes) expect((await ask(node, 1)).data.article).toEqual({ title: 'old' })
    // Redis forgets it when it is past its time to live and its grace, which is none.
    await eventually(async () => (await world.keysInRedis('1:article.*')).length === 0)
    await expectOneStatement()
  })
})

describe('where entries live long', () => {
  serveFour({})

  it('asks PostgreSQL once for one key that was purged', async () => {
    for (const node of nodes) expect((await ask(node, 1)).data.article).toEqual({ title: 'old' })
    const purge = 'mutation { invalidateCache(tags: ["articles:1"], mode: HARD) { position } }'
    const { token } = await nodes[0].admin.send(purge)
    await expectOneStatement(token)
  })

  it('asks PostgreSQL once for each of 200 keys', async () => {
    await world.sql(
      `insert into articles (slug, title, body, status, author_id, published_at)
       select 'more-' || n, 'old', 'Body', 'PUBLISHED', 1, now() from generate_series(3, 202) n`,
    )
    const token = await world.token()
    const mark = await world.statements.mark()
    const table = await world.holdTable('articles')
    const allHaveCome = await expectRequests()
    // Five requests in a row for each: they go to every node.
    const sent = requests((index) => 3 + Math.floor(index / 5), token)
    await allHaveCome()
    await table.release()
    const answers = await Promise.all(sent.map(({ answer }) => answer))
    expect(count(answers.map(({ data }) => data?.article?.title))).toEqual({ old: REQUESTS })
    const loaded = (await world.statements.since(mark, ROW_READ)).flatMap(({ parameters }) => keysOf(parameters))
    expect(loaded.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => 3 + index))
  })
})

describe('where what is stale may be served', () => {
  serveFour({ CACHE_TTL_ARTICLE: '2', CACHE_GRACE: '60', CACHE_GRACE_IF_ERROR: '3600' })

  it('asks PostgreSQL once in the background, and keeps nobody waiting, where grace allows it', async () => {
    for (const node of nodes) await ask(node, 1)
    const mark = await world.statements.mark()
    const table = await world.holdTable('articles')
    await eventually(async () => (await ask(nodes[0], 1)).headers.get('x-cache') === 'STALE')
    // The table is held, so nothing else but what is stale can answer them.
    const answers = await Promise.all(requests(() => 1).map(({ answer }) => answer))
    expect(count(answers.map(({ headers }) => headers.get('x-cache')))).toEqual({ STALE: REQUESTS })
    await eventually(async () => expect(await table.waiting()).toHaveLength(1))
    await table.release()
    await eventually(async () => (await ask(nodes[0], 1)).headers.get('x-cache') === 'HIT')
    expect(await world.statements.since(mark, ROW_READ)).toHaveLength(1)
  })
})

describe('where nobody waits longer than a second', () => {
  serveFour({ CACHE_LOAD_TIMEOUT_MS: '1000' })

  it('tells everybody at the deadline that the load takes too long, and fills the cache with what comes', async () => {
    const table = await world.holdTable('articles')
    const answers = await Promise.all(requests(() => 2, null, 100).map(({ answer }) => answer))
    expect(count(answers.map(({ errors }) => errors[0]?.extensions.code))).toEqual({ LOAD_TIMEOUT: 100 })
    for (const { tookMs } of answers) expect(tookMs).toBeGreaterThanOrEqual(1000)
    await table.release()
    await eventually(async () => (await world.keysInRedis('1:article.*:2')).length === 1)
    const mark = await world.statements.mark()
    for (const node of nodes) expect((await ask(node, 2)).data.article).toEqual({ title: 'old' })
    expect(await world.statements.since(mark, ROW_READ)).toEqual([])
  })
})

describe('where a lease lasts for three seconds', () => {
  serveFour({ CACHE_LEASE_MS: '3000', CACHE_LOAD_TIMEOUT_MS: '15000' })

  it('asks PostgreSQL twice at most where whoever loads is killed, and nobody waits past the deadline', async () => {
    const mark = await world.statements.mark()
    const table = await world.holdTable('articles')
    const allHaveCome = await expectRequests()
    const sent = requests(() => 1)
    const [holder] = await eventually(async () => {
      const waiting = await table.waiting()
      return waiting.length > 0 && waiting
    })
    await allHaveCome()
    await nodes.find(({ name }) => name === holder)?.end('SIGKILL')
    const survivors = sent.filter(({ node }) => node.name !== holder)
    expect(survivors).toHaveLength((REQUESTS * 3) / 4)

    // Somebody else takes over. The dead one's statement still waits for the table.
    await eventually(async () => (await table.waiting()).some((name) => name !== holder))
    await table.release()
    const answers = await Promise.all(survivors.map(({ answer }) => answer))
    expect(count(answers.map(({ data, errors }) => data?.article?.title ?? errors[0]?.extensions.code))).toEqual({
      old: survivors.length,
    })
    expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(15_000)
    const statements = await world.statements.since(mark, ROW_READ)
    expect(statements.map(({ by }) => by)).toEqual(expect.arrayContaining([holder]))
    expect(statements.length).toBeLessThanOrEqual(2)
    for (const { node, answer } of sent) if (node.name === holder) await expect(answer).rejects.toThrow('fetch failed')
  })
})

async function expectOneStatement(token?: string | null): Promise<void> {
  const mark = await world.statements.mark()
  const table = await world.holdTable('articles')
  const allHaveCome = await expectRequests()
  const sent = requests(() => 1, token)
  await allHaveCome()
  await eventually(async () => expect(await table.waiting()).toHaveLength(1))
  await table.release()
  const answers = await Promise.all(sent.map(({ answer }) => answer))
  expect(count(answers.map(({ data }) => data?.article?.title))).toEqual({ old: REQUESTS })
  expect(await world.statements.since(mark, ROW_READ)).toHaveLength(1)
}

/** Four nodes that share nothing with those of other tests, for the tests of a `describe`. */
function serveFour(environment: NodeJS.ProcessEnv): void {
  beforeAll(async () => {
    world = await createServedWorld(postgres)
    const serve = (name: string) => world.serve(name, { ...PATIENT, ...environment })
    nodes = await Promise.all([serve('node 1'), serve('node 2'), serve('node 3'), serve('node 4')])
  })

  afterAll(() => world.end())
}

/** No grace; and on a slow machine it takes seconds until all requests have come. */
const PATIENT = {
  CACHE_GRACE: '0',
  CACHE_GRACE_IF_ERROR: '0',
  CACHE_LEASE_MS: '30000',
  CACHE_LOAD_TIMEOUT_MS: '60000',
  DATABASE_STATEMENT_TIMEOUT_MS: '60000',
}

const REQUESTS = 1000
const TITLE = 'query ($id: ID!) { article(id: $id) { title } }'

interface Title {
  readonly article: { readonly title: string } | null
}

const ask = (node: ServedNode, id: number, token?: string | null): Promise<Answer<Title>> =>
  node.visitor.send<Title>(TITLE, { id: toGlobalId('Article', id) }, asOf(token))

interface Sent {
  readonly node: ServedNode
  readonly answer: Promise<Answer<Title> & { readonly tookMs: number }>
}

/** Sends many at once, to each node in turn. */
function requests(idOf: (index: number) => number, token?: string | null, many = REQUESTS): Sent[] {
  const startedAt = performance.now()
  return Array.from({ length: many / nodes.length }, (_, round) =>
    nodes.map((node, index) => {
      const answer = ask(node, idOf(round * nodes.length + index), token).then((answered) => ({
        ...answered,
        tookMs: performance.now() - startedAt,
      }))
      answer.catch(() => {})
      return { node, answer }
    }),
  ).flat()
}

/** Returns what waits until so many more requests have come, and each has looked for its article in memory. */
async function expectRequests(): Promise<() => Promise<unknown>> {
  const come = async () => sum(await Promise.all(nodes.map((node) => node.metric(LOOK_UPS, IN_MEMORY))))
  const before = await come()
  return () => eventually(async () => (await come()) - before >= REQUESTS, { withinMs: 40_000 })
}

const LOOK_UPS = 'stet_cache_requests_total'
const IN_MEMORY = { kind: 'article', tier: 'memory' }

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

/** How often each stands in a list. */
function count(list: readonly (string | null | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const each of list) counts[String(each)] = (counts[String(each)] ?? 0) + 1
  return counts
}

/** `$1 = '{1,2}'`, or of one `$1 = '1'`. */
const keysOf = (parameters: string): number[] => (/'\{?([\d,]+)\}?'/.exec(parameters)?.[1] ?? '').split(',').map(Number)
