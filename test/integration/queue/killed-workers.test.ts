import { randomInt } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { addContent } from '../../api/add-content.ts'
import { RunningStet } from '../../api/run-stet.ts'
import {
  createMigratedDatabase,
  createRedisPrefix,
  eventually,
  queryOnce,
  readMetrics,
  sharedServers,
  startFaultProxy,
  startTestNode,
  type TestDatabase,
  type TestNode,
} from '../../harness/index.ts'
import { Dice } from '../oracle/dice.ts'
import { startReplyGate } from '../races/reply-gate.ts'

/** Workers in processes of their own, which are killed; a node in this one takes the views. */
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
const steps = Number(process.env.TEST_STEPS ?? 16)
const { redisUrl, postgresUrl } = sharedServers()

let database: TestDatabase
let redisPrefix: string
let node: TestNode
let workers: RunningStet[]
const closers: (() => unknown)[] = []

beforeEach(async () => {
  database = await createMigratedDatabase()
  redisPrefix = createRedisPrefix()
  const environment = {
    WORKER: 'off',
    RATE_LIMIT_MAX: '1000000',
    QUERY_MAX_MUTATIONS: '100',
    QUERY_MAX_ROOT_FIELDS: '100',
  }
  node = await startTestNode({ databaseUrl: database.url, redisUrl, redisPrefix, environment })
  await addContent(database.url)
  workers = []
})

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')))
  await node.close()
  for (const close of closers.splice(0)) await close()
  await database.drop()
})

it('counts once what a worker had committed when it was killed, before it could say so', async () => {
  const gate = await startReplyGate(postgresUrl)
  closers.push(() => gate.close())
  const doomed = await startWorker({ DATABASE_URL: gate.through(database.url) })
  const commit = gate.hold(/^Q....commit/)
  await view(1, 7)
  await commit.arrived
  await doomed.end('SIGKILL')
  // A quick worker's first batch doesn't have them all.
  expect((await views())[1]).toBeGreaterThan(0)
  await expectWaiting(7)
  await view(4, 2)
  await startWorker()
  await expectWaiting(0)
  expect(await views()).toEqual({ 1: 7, 4: 2 })
})

it('counts what a worker had written and not committed when it was killed', async () => {
  const gate = await startReplyGate(postgresUrl)
  closers.push(() => gate.close())
  const doomed = await startWorker({ DATABASE_URL: gate.through(database.url) })
  const written = gate.hold(/update stet.applied/)
  await view(1, 7)
  await written.arrived
  await doomed.end('SIGKILL')
  expect(await views()).toEqual({})
  await startWorker()
  await expectWaiting(0)
  expect(await views()).toEqual({ 1: 7 })
})

it('ends its batch, acknowledges it and exits with 0 when it is asked to', async () => {
  const gate = await startReplyGate(postgresUrl)
  closers.push(() => gate.close())
  const worker = await startWorker({ DATABASE_URL: gate.through(database.url) })
  const written = gate.hold(/update stet.applied/)
  await view(1, 7)
  await written.arrived
  const ended = worker.end('SIGTERM')
  written.release()
  expect(await ended).toMatchObject({ code: 0 })
  // A quick worker's first batch doesn't have them all.
  const counted = (await views())[1] ?? 0
  expect(counted).toBeGreaterThan(0)
  await expectWaiting(7 - counted)
  await startWorker()
  await expectWaiting(0)
  expect(await views()).toEqual({ 1: 7 })
})

it(`loses no view and counts none twice, whoever is killed and cut off (TEST_SEED=${seed} TEST_STEPS=${steps})`, async () => {
  console.log(`TEST_SEED=${seed} TEST_STEPS=${steps} repeats this run.`)
  const dice = new Dice(seed)
  const { hostname, port } = new URL(redisUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  closers.push(() => proxy.close())
  const gate = await startReplyGate(postgresUrl)
  closers.push(() => gate.close())
  const start = () =>
    startWorker({ DATABASE_URL: gate.through(database.url), REDIS_URL: proxy.through(redisUrl), QUEUE_FLUSH_MS: '5' })
  await Promise.all([start(), start(), start()])
  const recorded: Record<string, number> = {}
  let kills = 0
  for (let step = 0; step < steps; step++) {
    const id = dice.pick([1, 4])
    const record = async (count: number) => {
      await view(id, count)
      recorded[id] = (recorded[id] ?? 0) + count
    }
    await record(1 + dice.below(60))
    const roll = dice.below(100)
    if (roll < 25) {
      // Mostly while a batch is in the making.
      if (dice.chance(70)) {
        const held = gate.hold(dice.pick([/^Q....commit/, /update stet.applied/, /update article_stats/]))
        await record(1)
        await held.arrived
      }
      const [doomed] = workers.splice(dice.below(workers.length), 1)
      await doomed?.end('SIGKILL')
      gate.drop()
      kills++
      await start()
    } else if (roll < 40) {
      await proxy.cut()
      await record(1)
      await proxy.restore()
    } else if (roll < 50) {
      gate.drop()
    }
  }
  await expectWaiting(0)
  expect(await views()).toEqual(recorded)
  const [row] = await queryOnce(database.url, `select count(*)::int as streams from stet.applied where queue = 'views'`)
  expect(row).toEqual({ streams: 1 })
  console.log(JSON.stringify({ recorded, kills }))
  for (const worker of workers) expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
}, 180_000)

async function startWorker(environment: NodeJS.ProcessEnv = {}): Promise<RunningStet> {
  const worker = new RunningStet(['worker', '--json'], {
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    REDIS_KEY_PREFIX: redisPrefix,
    QUEUE_FLUSH_MS: '50',
    RANK_ARTICLES_EVERY: '86400',
    LOG_LEVEL: 'silent',
    ...environment,
  })
  workers.push(worker)
  await eventually(() => JSON.parse(worker.stdout), { withinMs: 45_000 })
  // Its first job is done: the next commit is a batch's.
  await eventually(async () => {
    const [row] = await queryOnce(database.url, `select ran_at > 'epoch' as ran from stet.job`)
    return row?.ran === true
  })
  return worker
}

/** Records views, all of which are taken. */
async function view(articleId: number, times: number): Promise<void> {
  const id = toGlobalId('Article', articleId)
  const fields = Array.from({ length: times }, (_, n) => `v${n}: recordView(articleId: $id)`).join(' ')
  const data = await node.visitor.get(`mutation ($id: ID!) { ${fields} }`, { id })
  expect(Object.values(data)).toEqual(Array(times).fill(true))
}

async function expectWaiting(depth: number): Promise<void> {
  await eventually(async () => {
    const metrics = await readMetrics(node.url)
    return metrics.includes(`stet_queue_depth{queue="views"} ${depth}\n`)
  })
}

async function views(): Promise<Record<string, number>> {
  const rows = await queryOnce(
    database.url,
    'select article_id::int as id, views::int from article_stats where views > 0',
  )
  return Object.fromEntries(rows.map(({ id, views }) => [id, views]))
}
