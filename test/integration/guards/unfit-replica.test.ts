import { afterEach, beforeEach, expect, it } from '@jest/globals'
import {
  queryOnce,
  readMetric,
  replicaIs,
  type Standby,
  startFaultProxy,
  startPostgres,
  type TestNode,
} from '../../harness/index.ts'
import { use } from '../../harness/use.ts'
import { ManualClock } from '../../models/manual-clock.ts'
import { type ArticleWorld, createArticleWorld } from '../races/article-world.ts'
import { type Loads, type OpenLoadsOptions, openLoads } from './replica-world.ts'

/** What DATABASE_REPLICA_URL may lead to by mistake: no standby, or one of another server. */
const postgres = use(await startPostgres(), (it) => it.stop())
let standby: Standby
let world: ArticleWorld
const ends: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  standby = await startStandby()
  world = await createArticleWorld(postgres.createDatabase)
  ends.push(() => world.end())
  await world.sql('select stet.sequence()')
  await standby.caughtUp()
})

afterEach(async () => {
  for (let end = ends.pop(); end; end = ends.pop()) await end()
})

it('shows nothing that was written to a standby that was promoted by mistake, and says why', async () => {
  await standby.promote()
  await queryOnce(
    standbyUrl(),
    `insert into articles (slug, title, body, status, author_id, published_at)
       values ('ghost', 'Ghost', 'Body', 'PUBLISHED', 1, now());
     update articles set title = 'theirs' where slug = 'one'`,
  )
  const node = await world.startNode({ redisUrl: undefined, environment: { DATABASE_REPLICA_URL: standbyUrl() } })
  const query =
    '{ ghost: article(slug: "ghost") { title } one: article(slug: "one") { title } articles { totalCount } }'
  const held = { ghost: null, one: { title: 'old' }, articles: { totalCount: 2 } }
  expect(await node.visitor.get(query)).toEqual(held)
  await replicaIs(node, 'unfit')
  node.cache.clearMemory()
  expect(await node.visitor.get(query)).toEqual(held)
  expect(await readiness(node)).toContain(
    'replica: failing, because it is not in recovery: it is a primary, or was promoted\n',
  )
  expect(await readMetric(node.url, 'stet_replica_state', { state: 'well' })).toBe(0)
})

it('loads nothing from a standby once it was promoted, though no probe has told of that yet', async () => {
  const clock = new ManualClock()
  const loads = await open({ clock })
  clock.advance(0)
  await loads.is('well')
  expect(await loads.loadMany(10)).toEqual({ primary: 0, replica: 10 })
  await standby.promote()
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
  clock.advance(0)
  expect(await loads.is('unfit')).toMatchObject({ why: expect.stringContaining('not in recovery') })
})

it('does not take the primary for its own replica', async () => {
  const loads = await open({ replicaUrl: world.database.url })
  expect(await loads.is('unfit')).toMatchObject({ why: expect.stringContaining('not in recovery') })
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
})

it('does not load from a standby of another system', async () => {
  const other = await startPostgres()
  ends.push(() => other.stop())
  const theirs = await startStandby(other)
  const { database } = await createArticleWorld(other.createDatabase)
  await theirs.caughtUp()
  const loads = await open({ replicaUrl: theirs.urlOf(database) })
  expect(await loads.is('unfit')).toMatchObject({ why: 'it is of another system than the primary' })
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
})

it('examines every connection: another server may answer at the same address', async () => {
  const other = await startPostgres()
  ends.push(() => other.stop())
  const theirs = await startStandby(other)
  const copy = await createArticleWorld(other.createDatabase)
  await queryOnce(other.url, `alter database ${copy.database.name} rename to ${world.database.name}`)
  await theirs.caughtUp()
  const door = await startFaultProxy(addressOf(standby.url))
  ends.push(() => door.close())
  const clock = new ManualClock()
  const loads = await open({ replicaUrl: door.through(standbyUrl()), clock })
  clock.advance(0)
  await loads.is('well')
  door.leadTo(addressOf(theirs.url))
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
  clock.advance(0)
  await loads.is('unfit')
})

it('does not load from one that follows a standby which was promoted by mistake', async () => {
  const promoted = await startStandby()
  await standby.leave()
  await promoted.caughtUp()
  await promoted.promote()
  await standby.follow(promoted)
  await queryOnce(promoted.url, 'checkpoint')
  await standby.caughtUp(promoted)
  await queryOnce(standby.url, 'checkpoint')
  const loads = await open()
  expect(await loads.is('unfit')).toMatchObject({ why: 'it is on timeline 2, and the primary is on 1' })
  expect(await loads.loadMany(10)).toEqual({ primary: 10, replica: 0 })
})

it('tells one of another history by its log, also on an earlier timeline, and if the role may not read the control file', async () => {
  const heir = await startStandby()
  await heir.caughtUp()
  await heir.leave()
  // The heir lacks this, and writes something else at its position.
  for (const url of [world.database.url, heir.urlOf(world.database)]) {
    if (url !== world.database.url) await heir.promote()
    await queryOnce(url, `update articles set title = 'mine'`)
    await queryOnce(url, 'select stet.sequence()')
  }
  await standby.caughtUp()
  const loads = await open({ url: heir.urlOf(world.database) })
  const why = 'it has records in its log that the primary does not have'
  expect(await loads.is('unfit')).toMatchObject({ why })

  await queryOnce(
    world.database.url,
    `create role weak login; grant usage on schema stet to weak; grant select on stet.log to weak;
     revoke execute on function pg_control_system, pg_control_checkpoint, pg_control_recovery from public`,
  )
  await standby.caughtUp()
  expect(await (await open({ replicaUrl: asWeak(standbyUrl()) })).is('well')).toBeTruthy()
  expect(
    await (await open({ url: heir.urlOf(world.database), replicaUrl: asWeak(standbyUrl()) })).is('unfit'),
  ).toMatchObject({ why })
})

it('goes on with a replica that follows a primary which was just promoted', async () => {
  const heir = await startStandby()
  await heir.caughtUp()
  await postgres.kill()
  ends.push(() => postgres.restart())
  await heir.promote()
  const url = heir.urlOf(world.database)
  // It has not heard of the new timeline: it lags.
  const loads = await open({ url })
  await loads.is('well')
  await queryOnce(url, `update articles set title = 'new'`)
  await queryOnce(url, 'select stet.sequence()')
  await standby.follow(heir)
  await standby.caughtUp(heir)
  const later = await open({ url })
  await later.is('well')
  expect(await later.loadMany(10)).toEqual({ primary: 0, replica: 10 })
  expect(await loads.loadMany(10)).toEqual({ primary: 0, replica: 10 })
})

const standbyUrl = () => standby.urlOf(world.database)

function asWeak(url: string): string {
  const weak = new URL(url)
  weak.username = 'weak'
  return weak.href
}

async function startStandby(of = postgres): Promise<Standby> {
  const started = await of.startStandby()
  ends.push(() => started.stop())
  return started
}

async function open(options: Partial<OpenLoadsOptions> = {}): Promise<Loads> {
  const loads = await openLoads({ url: world.database.url, replicaUrl: standbyUrl(), ...options })
  ends.push(() => loads.close())
  return loads
}

function addressOf(url: string) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

const readiness = async ({ url }: TestNode) => (await fetch(`${url}/readyz`)).text()
