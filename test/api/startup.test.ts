import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import pg from 'pg'
import { readConfig } from '../../src/app/config.ts'
import { startNode } from '../../src/app/start-node.ts'
import { createLogger } from '../../src/kernel/logger.ts'
import {
  createTestDatabase,
  eventually,
  GraphQLClient,
  queryOnce,
  startTestNode,
  TEST_JWT_SECRET,
  testToken,
} from '../harness/index.ts'
import { RunningStet, runStet } from './run-stet.ts'

let directory: string
/** Embedded PostgreSQL in a directory of its own. */
let embedded: NodeJS.ProcessEnv
const running: RunningStet[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stet-startup-'))
  embedded = {
    DATA_DIRECTORY: join(directory, 'data'),
    PORT: '0',
    LOG_LEVEL: 'silent',
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
  }
})

afterAll(async () => {
  await Promise.all(running.map((stet) => stet.end('SIGKILL')))
  await rm(directory, { recursive: true })
})

it('lets ten nodes start at once on an empty database: one migrates, one fills it', async () => {
  const database = await createTestDatabase()
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: database.url,
    DATABASE_POOL_MAX: '2',
    AUTH_JWT_SECRET: TEST_JWT_SECRET,
  })
  const logger = createLogger('silent')
  const nodes = await Promise.all(Array.from({ length: 10 }, () => startNode({ config, logger, sample: true })))
  try {
    for (const { url } of nodes) {
      const { articles } = await new GraphQLClient(url).get<{ articles: { totalCount: number } }>(
        '{ articles { totalCount } }',
      )
      expect(articles.totalCount).toBeGreaterThan(30)
    }
    const [row] = await queryOnce(database.url, 'select count(*) = count(distinct title) as once from articles')
    expect(row).toEqual({ once: true })
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
    await database.drop()
  }
})

it('does not fill a database that holds anything', async () => {
  const database = await createTestDatabase()
  await (await startTestNode({ databaseUrl: database.url })).close()
  await queryOnce(database.url, `insert into tags (slug, name) values ('mine', 'Mine')`)
  const config = readConfig({ PORT: '0', DATABASE_URL: database.url, AUTH_JWT_SECRET: TEST_JWT_SECRET })
  const node = await startNode({ config, logger: createLogger('silent'), sample: true })
  expect(await new GraphQLClient(node.url).get('{ articles { totalCount } tags { totalCount } }')).toEqual({
    articles: { totalCount: 0 },
    tags: { totalCount: 1 },
  })
  await node.close()
  await database.drop()
})

it('waits for whoever migrates as long as it takes, whatever a statement may take otherwise', async () => {
  const database = await createTestDatabase()
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query(`begin; select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  const starting = startTestNode({ databaseUrl: database.url, environment: { DATABASE_STATEMENT_TIMEOUT_MS: '1000' } })
  await eventually(async () => {
    const [row] = await queryOnce(
      database.url,
      `select count(*) as waiting from pg_stat_activity
        where datname = current_database() and wait_event = 'advisory' and query_start < now() - interval '1500 milliseconds'`,
    )
    return Number(row?.waiting) > 0
  })
  await holder.query('rollback')
  await holder.end()
  const node = await starting
  expect(await node.visitor.get('{ tags { totalCount } }')).toEqual({ tags: { totalCount: 0 } })
  await node.close()
  await database.drop()
})

it('ends on SIGTERM within its time limit while it waits to start', async () => {
  const database = await createTestDatabase()
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query(`begin; select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  const stet = start(['serve'], { ...embedded, DATABASE_URL: database.url, SHUTDOWN_TIMEOUT_MS: '100' })
  await eventually(async () => {
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`
    return (await queryOnce(database.url, waiting)).length > 0
  })
  expect(await stet.end('SIGTERM')).toMatchObject({ code: 1, stdout: '' })
  await holder.end()
  await database.drop()
})

it('gives its directory back if it is stopped while it starts', async () => {
  const data = join(directory, 'stopped')
  const stet = start(['serve'], { ...embedded, DATA_DIRECTORY: data, SHUTDOWN_TIMEOUT_MS: '0' })
  await eventually(() => existsSync(join(data, 'lock')))
  expect(await stet.end('SIGTERM')).toMatchObject({ code: 1, stdout: '' })
  expect(await readdir(data)).not.toContain('lock')
})

it('stops on SIGTERM with exit code 0, and leaves no connection behind', async () => {
  const database = await createTestDatabase()
  const stet = start(['serve', '--json'], { ...embedded, DATABASE_URL: database.url })
  const { url } = await stet.serving()
  expect(await new GraphQLClient(url).get('{ tags { totalCount } }')).toEqual({ tags: { totalCount: 0 } })
  expect(await stet.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
  const connections = `select application_name from pg_stat_activity where datname = current_database() and application_name like 'stet%'`
  await eventually(async () => (await queryOnce(database.url, connections)).length === 0)
  await database.drop()
})

it('keeps what was written over a stop and over a crash, and lets one server at a time into a directory', async () => {
  const first = start(['serve', '--sample', '--json'], embedded)
  const client = await adminOf(first)
  await client.get('mutation { createTag(input: { name: "Kept one" }) { tag { id } } }')

  for (const command of [['serve'], ['migrate'], ['export']]) {
    const { code, stdout, stderr } = await runStet(command, embedded)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^stet: Another server is using .*data: stop it, or set DATA_DIRECTORY or DATABASE_URL\.\n$/)
  }
  await client.get('mutation { createTag(input: { name: "Kept two" }) { tag { id } } }')
  await first.end('SIGKILL')
  expect(await readdir(String(embedded.DATA_DIRECTORY))).toContain('lock')

  // Both find the lock of the dead one.
  const [one, two] = [start(['serve', '--json'], embedded), start(['serve', '--json'], embedded)]
  const loser = await Promise.race([one.ended.then(() => one), two.ended.then(() => two)])
  expect(await loser.ended).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^stet: Another server .*\n$/),
  })
  const winner = loser === one ? two : one
  const names = '{ tag(slug: "kept-one") { name } kept: tag(slug: "kept-two") { name } }'
  expect(await (await adminOf(winner)).get(names)).toEqual({ tag: { name: 'Kept one' }, kept: { name: 'Kept two' } })

  expect(await winner.end('SIGINT')).toMatchObject({ code: 0, stderr: '' })
  expect(await readdir(String(embedded.DATA_DIRECTORY))).toEqual(['postgres'])
  const third = start(['serve', '--json'], embedded)
  expect(await (await adminOf(third)).get(names)).toEqual({ tag: { name: 'Kept one' }, kept: { name: 'Kept two' } })
  expect(await third.end('SIGTERM')).toMatchObject({ code: 0 })
})

it('says in one line that its port is taken, and lets go of everything', async () => {
  const occupier = createServer()
  await new Promise<void>((resolve) => occupier.listen(0, '127.0.0.1', resolve))
  const port = (occupier.address() as AddressInfo).port
  const { code, stdout, stderr } = await runStet(['serve'], { ...embedded, PORT: String(port) })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(new RegExp(`^stet: .*EADDRINUSE.*${port}\n$`))
  expect(await readdir(String(embedded.DATA_DIRECTORY))).toEqual(['postgres'])
  occupier.close()
})

it('prints where to click and tokens that work, in demo mode', async () => {
  const stet = start(['serve'], { ...embedded, AUTH_JWT_SECRET: '' })
  const [, url] = await eventually(() => /Explore: +(http:\S+)\/graphiql/.exec(stet.stdout) ?? false, {
    withinMs: 45_000,
  })
  const [, admin] = /Bearer (\S+) {2}\(admin\)/.exec(stet.stdout) ?? []
  const [, author] = /Bearer (\S+) {2}\(author\)/.exec(stet.stdout) ?? []
  expect(await new GraphQLClient(String(url), author).get('{ viewer { role } }')).toEqual({
    viewer: { role: 'AUTHOR' },
  })
  const deleted = await new GraphQLClient(String(url), admin).send('mutation { deleteTag(id: "x") { deletedId } }')
  expect(deleted.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  expect(await stet.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
})

/** Kysely's. */
const MIGRATION_LOCK = '3853314791062309107'

function start(args: readonly string[], environment: NodeJS.ProcessEnv): RunningStet {
  const stet = new RunningStet(args, environment)
  running.push(stet)
  return stet
}

async function adminOf(stet: RunningStet): Promise<GraphQLClient> {
  const { url } = await stet.serving()
  return new GraphQLClient(url, await testToken('admin'))
}
