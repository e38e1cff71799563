import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { eventually, type PostgresServer, startPostgres } from '../../harness/index.ts'
import { readTitle, writeTitle } from '../races/article-world.ts'
import type { ServedNode } from '../strategies/served-node.ts'
import { createServedWorld, type ServedWorld } from '../strategies/served-world.ts'

/** A node that is stopped or killed in the middle of something must not keep the others from anything for long. */
let postgres: PostgresServer
let world: ServedWorld
let doomed: ServedNode
let other: ServedNode

beforeAll(async () => {
  postgres = await startPostgres()
})

afterAll(() => postgres.stop())

beforeEach(async () => {
  world = await createServedWorld(postgres)
})

afterEach(async () => {
  await world.end()
})

it.each(['SIGSTOP', 'SIGKILL'] as const)(
  'numbers writes while a node has had %s as it was numbering',
  async (signal) => {
    await serveTwo({ WORKER: 'off' })
    // Whoever numbers can't append, and holds the lock meanwhile.
    const holder = await world.connect()
    await holder.query('begin; lock table stet.log in share mode')
    await world.sql(`update articles set summary = 'written' where id = 2`)
    const sequencer = await eventually(async () => {
      const [row] = await world.sql(
        `select application_name as name from pg_stat_activity join pg_locks using (pid)
          where datname = current_database() and locktype = 'advisory' and granted`,
      )
      return row ? String(row.name) : false
    })
    const [stuck, well] = sequencer === doomed.name ? [doomed, other] : [other, doomed]
    stuck.signal(signal)
    await holder.query('rollback')
    const { title, token } = await writeTitle(well.admin, 'new')
    expect([title, await readTitle(well.visitor, token)]).toEqual(['new', 'new'])
    expect(await world.sql('select from stet.pending')).toEqual([])
    expect(await advisoryLocks()).toEqual([])
  },
)

it('frees the rows of a node that was stopped in the middle of a write', async () => {
  const gate = await world.startGate(postgres.url)
  await serveTwo({ DATABASE_STATEMENT_TIMEOUT_MS: '1000' }, gate.through(world.environment.DATABASE_URL ?? ''))
  const updated = gate.hold(/update "articles"/)
  const lost = writeTitle(doomed.admin, 'lost', 1, []).catch(() => undefined)
  await updated.arrived
  doomed.signal('SIGSTOP')
  // At first it may wait for the rows, and say so; but not for ever.
  await eventually(() => writeTitle(other.admin, 'new').then(() => true))
  expect(await readTitle(other.visitor)).toBe('new')
  doomed.signal('SIGCONT')
  updated.release()
  await lost
  await eventually(async () => (await readTitle(doomed.visitor)) === 'new')
})

it('frees what it locked where a node was killed in the middle of a write', async () => {
  const gate = await world.startGate(postgres.url)
  await serveTwo({}, gate.through(world.environment.DATABASE_URL ?? ''))
  const updated = gate.hold(/update "articles"/)
  const lost = writeTitle(doomed.admin, 'lost', 1, []).catch(() => undefined)
  await updated.arrived
  await doomed.end('SIGKILL')
  await lost
  expect(await writeTitle(other.admin, 'new')).toMatchObject({ title: 'new' })
})

async function serveTwo(
  environment: NodeJS.ProcessEnv,
  doomedUrl = world.environment.DATABASE_URL ?? '',
): Promise<void> {
  const url = new URL(doomedUrl)
  url.searchParams.set('application_name', 'node 1')
  ;[doomed, other] = await Promise.all([
    world.serve('node 1', { ...environment, DATABASE_URL: url.href }),
    world.serve('node 2', environment),
  ])
}

const advisoryLocks = () =>
  world.sql(
    `select pid from pg_locks join pg_database on pg_database.oid = database
      where datname = current_database() and locktype = 'advisory' and granted`,
  )
