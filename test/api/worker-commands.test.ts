import { expect, it } from '@jest/globals'
import {
  eventually,
  GraphQLClient,
  queryOnce,
  sharedServers,
  startFaultProxy,
  startTestNode,
  TEST_JWT_SECRET,
} from '../harness/index.ts'
import { useDatabase, useRedis, useRedisClient } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'
import { RunningStet, runStet } from './run-stet.ts'

const database = await useDatabase()
const { redisUrl, redisPrefix: prefix } = useRedis()
const redis = useRedisClient()
const environment: NodeJS.ProcessEnv = {
  DATABASE_URL: database.url,
  REDIS_URL: redisUrl,
  REDIS_KEY_PREFIX: prefix,
  LOG_LEVEL: 'silent',
}
await (await startTestNode({ databaseUrl: database.url })).close()
await addContent(database.url)

it.each([
  'worker walk',
  'worker dead',
  'worker dead replay',
  'worker dead replay 1',
  'worker dead drop --all 1-0',
  'worker dead list --queue nowhere',
])('says how it is used, with exit code 2: stet %s', async (command) => {
  const { code, stdout, stderr } = await runStet(command.split(' '), environment)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toMatch(/ at .*:\d+/)
  expect(stderr).not.toBe('')
})

it('has nothing to do without Redis, and says so', async () => {
  const ran = await runStet(['worker'], { ...environment, REDIS_URL: '' })
  const stderr = 'REDIS_URL is not set: without it each server does this work itself.\n'
  expect(ran).toEqual({ code: 2, stdout: '', stderr })
})

it('tells how it is and what it does where it is given a port, until SIGTERM', async () => {
  const worker = new RunningStet(['worker', '--json'], { ...environment, QUEUE_FLUSH_MS: '10', WORKER_PORT: '0' })
  const { url } = await worker.serving()
  await redis.xadd(`${prefix}queue:{views}`, '*', 'job', '2')
  await eventually(async () => (await text(`${url}/metrics`)).includes('stet_queue_applied_total{queue="views"} 1\n'))
  const metrics = await text(`${url}/metrics`)
  expect(metrics).toContain('\nstet_queue_depth{queue="views"} 0\n')
  expect(metrics).toContain('\nstet_breaker_state{name="redis"} 0\n')
  expect(metrics).toMatch(/\nstet_ledger_position [1-9]/)
  expect(await text(`${url}/healthz`)).toBe('ok\n')
  expect(await text(`${url}/readyz`)).toBe('server: ok\npostgresql: ok\nredis: ok\ntriggers: ok\n')
  expect((await fetch(`${url}/graphql`)).status).toBe(404)
  expect(await worker.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
})

it('is not ready while it cannot reach Redis, and no less alive', async () => {
  const { hostname, port } = new URL(sharedServers().redisUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  const worker = new RunningStet(['worker', '--json'], {
    ...environment,
    REDIS_URL: proxy.through(sharedServers().redisUrl),
    WORKER_PORT: '0',
  })
  const { url } = await worker.serving()
  await proxy.cut()
  await eventually(
    async () => (await text(`${url}/readyz`)) === 'server: ok\npostgresql: ok\nredis: failing\ntriggers: ok\n',
  )
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await proxy.restore()
  await eventually(async () => (await fetch(`${url}/readyz`)).status === 200)
  expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
  await proxy.close()
})

it('does not ask for REDIS_URL where Redis is a cluster', async () => {
  const nowhere = { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', REDIS_CLUSTER: '127.0.0.1:1' }
  const ran = await runStet(['worker'], { ...environment, ...nowhere, REDIS_URL: '', WORKER: 'off' })
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('ECONNREFUSED') })
})

it('works until SIGTERM; lists what could not be applied, queues it once more and drops it', async () => {
  for (const job of ['1', '"nonsense"', '{}', '1']) await redis.xadd(`${prefix}queue:{views}`, '*', 'job', job)
  const worker = new RunningStet(['worker', '--json'], { ...environment, QUEUE_FLUSH_MS: '10' })
  expect(await eventually(() => JSON.parse(worker.stdout))).toMatchObject({ queues: ['views'] })
  await eventually(async () => (await redis.xlen(`${prefix}queue:{views}`)) === 0)
  expect(await worker.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
  expect(await views()).toBe(2)

  const listed = await stet('list', '--json')
  expect(listed).toMatchObject([
    { job: '"nonsense"', error: 'A view is the id of an article, not "nonsense".', attempts: 5 },
    { job: '{}', attempts: 5 },
  ])
  const [first] = listed as { id: string }[]
  expect(await stet('replay', first?.id ?? '', '--json')).toEqual({ replayed: 1 })
  expect(await runStet(['worker', 'dead', 'replay', first?.id ?? ''], environment)).toEqual({
    code: 1,
    stdout: '',
    stderr: `stet: There is no dead letter ${first?.id} in views.\n`,
  })
  expect(await redis.xlen(`${prefix}queue:{views}`)).toBe(1)
  expect(await stet('drop', '--all', '--json')).toEqual({ dropped: 1 })
  expect(await stet('list', '--json')).toEqual([])
  expect((await runStet(['worker', 'dead', 'list'], environment)).stdout).toBe('None.\n')
})

it('counts what a server without Redis still has when it is asked to stop', async () => {
  const server = new RunningStet(['serve', '--json'], {
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
    PORT: '0',
    LOG_LEVEL: 'silent',
    QUEUE_FLUSH_MS: '60000',
  })
  const before = await views()
  const { url } = await server.serving()
  await new GraphQLClient(url).get('mutation ($id: ID!) { recordView(articleId: $id) }', { id: ids.published })
  expect(await views()).toBe(before)
  expect(await server.end('SIGTERM')).toMatchObject({ code: 0 })
  expect(await views()).toBe(before + 1)
})

const text = async (url: string): Promise<string> => (await fetch(url)).text()

const stet = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await runStet(['worker', 'dead', ...args], environment)).stdout)

async function views(): Promise<number> {
  const [row] = await queryOnce(database.url, 'select views::int from article_stats where article_id = 1')
  return Number(row?.views)
}
