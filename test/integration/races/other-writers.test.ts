import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { eventually, GraphQLClient, sharedServers, TEST_JWT_SECRET, testToken } from '../../harness/index.ts'
import {
  type ArticleWorld,
  askTitle,
  asOf,
  createArticleWorld,
  ROW_READ,
  ROW_WRITE,
  readTitle,
  writeTitle,
} from './article-world.ts'

/** Writes that no node of ours made, or that their node didn't live to tell of. */
let world: ArticleWorld

beforeEach(async () => {
  world = await createArticleWorld()
})

afterEach(() => world.end())

it('shows a write made with psql at once to whoever carries its token', async () => {
  const nodes = [await world.startNode(), await world.startNode()]
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('old')
  await psql(`update articles set title = 'new' where id = 1`)
  const token = await world.token()
  for (const node of nodes) expect(await readTitle(node.visitor, token)).toBe('new')
})

it('shows a write made with psql on every node within the beat', async () => {
  // Those of other tests beat once a minute.
  const environment = { LOG_BEAT_MS: '50' }
  const nodes = [await world.startNode({ environment }), await world.startNode({ environment })]
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('old')
  await psql(`update articles set title = 'new' where id = 1`)
  const showsNew = nodes.map((node) =>
    eventually(async () => (await readTitle(node.visitor)) === 'new', { withinMs: 10_000 }),
  )
  await Promise.all(showsNew)
})

it('answers with a token that covers what it showed, though the write had no position yet', async () => {
  const knowing = await world.startNode()
  const loading = await world.startNode({ redisUrl: undefined })
  expect(await readTitle(knowing.visitor)).toBe('old')
  await psql(`update articles set title = 'new' where id = 1`)
  const answer = await askTitle(loading.visitor)
  expect(answer.data.article).toEqual({ title: 'new' })
  expect(await readTitle(knowing.visitor, answer.token)).toBe('new')
})

it('shows the write of the transaction that began first and commits last', async () => {
  const postgres = await world.startGate(sharedServers().postgresUrl)
  const [first, second] = [await world.connect(), await world.connect()]
  await first.query('begin')
  await first.query(`update articles set title = 'new' where id = 1`)
  await second.query(`update articles set title = 'elsewhere' where id = 2`) // its record has the higher id
  const overtaken = await world.token()

  const filled = await world.startNode()
  const filling = await world.startNode({ databaseUrl: postgres.through(world.database.url), redisUrl: undefined })
  expect(await readTitle(filled.visitor, overtaken)).toBe('old')
  const fill = postgres.hold(ROW_READ)
  const early = readTitle(filling.visitor, overtaken)
  await fill.arrived
  await first.query('commit')
  const token = await world.token()
  fill.release()

  expect(await early).toBe('old')
  expect(Number.parseInt(token, 10)).toBe(Number.parseInt(overtaken, 10) + 1)
  for (const node of [filled, filling, await world.startNode()])
    expect(await readTitle(node.visitor, token)).toBe('new')
})

it('counts anew what was counted between two transactions that the log has the other way round', async () => {
  const postgres = await world.startGate(sharedServers().postgresUrl)
  const node = await world.startNode({ databaseUrl: postgres.through(world.database.url) })
  const [first, second, sequencer] = [await world.connect(), await world.connect(), await world.connect()]
  await second.query(`update articles set status = 'DRAFT', published_at = null where id = 2`)
  const before = Number.parseInt(await world.token(), 10)
  await sequencer.query('begin')
  await sequencer.query(`select pg_advisory_xact_lock(hashtext('stet.sequence'))`)
  await first.query('begin')
  await first.query(`update articles set status = 'DRAFT', published_at = null where id = 1`) // its record has the lower id
  await second.query(`update articles set status = 'PUBLISHED', published_at = now() where id = 2`)

  const read = postgres.hold(COUNT_READ)
  const early = askCount(node.visitor)
  await read.arrived
  await first.query('commit')
  await sequencer.query('commit')
  read.release()

  // In the order of the log there were 1, 0, and 1 again. The 2 that was read is what the database held at none of its positions.
  const { data, token } = await early
  expect(data.articles.totalCount).toBe(1)
  expect(Number.parseInt(token ?? '', 10)).toBe(before + 2)
  for (const asked of [token, undefined]) expect((await askCount(node.visitor, asked)).data.articles.totalCount).toBe(1)
})

it('shows the write of a process that was killed between its commit and telling anybody', async () => {
  const environment = { LOG_BEAT_MS: '50' }
  const nodes = [await world.startNode({ environment }), await world.startNode({ environment })]
  for (const node of nodes) expect(await readTitle(node.visitor)).toBe('old')

  const postgres = await world.startGate(sharedServers().postgresUrl)
  const doomed = await startProcess(postgres.through(world.database.url))
  const commit = postgres.hold(ROW_WRITE)
  const outcome = writeTitle(doomed.admin, 'new').then(
    () => 'answered',
    () => 'not answered',
  )
  await commit.arrived // PostgreSQL has committed; the process doesn't know yet, and never will
  await doomed.kill()

  expect(await outcome).toBe('not answered')
  await Promise.all(nodes.map((node) => eventually(async () => (await readTitle(node.visitor)) === 'new')))
})

function askCount(viewer: GraphQLClient, token?: string | null) {
  return viewer.send<{ articles: { totalCount: number } }>('{ articles { totalCount } }', {}, asOf(token))
}

const COUNT_READ = /count\(\*\)/

/** With the real program where there is one. */
async function psql(text: string): Promise<void> {
  try {
    await promisify(execFile)('psql', [world.database.url, '--quiet', '--command', text])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await world.sql(text)
  }
}

/** A node in a process of its own, as `stet serve` starts it. */
async function startProcess(databaseUrl: string) {
  const program = fileURLToPath(new URL('../../../dist/stet.js', import.meta.url))
  const child = spawn(process.execPath, [program, 'serve', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PORT: '0',
      LOG_LEVEL: 'silent',
      LOG_BEAT_MS: '60000',
      // It commits too.
      WORKER: 'off',
      AUTH_JWT_SECRET: TEST_JWT_SECRET,
      DATABASE_URL: databaseUrl,
      REDIS_URL: sharedServers().redisUrl,
      REDIS_KEY_PREFIX: world.redisPrefix,
    },
  })
  const exited = once(child, 'exit')
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(() => Promise.reject(new Error('`stet serve` ended before it served'))),
  ])
  const { url } = JSON.parse(line) as { url: string }
  return {
    admin: new GraphQLClient(url, await testToken('admin')),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
