import { randomInt } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { encodeEntry } from '../../../src/cache/remote/envelope.ts'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import {
  eventually,
  type FaultProxy,
  LOST_PASTS,
  type LostPast,
  queryOnce,
  readMetric,
  sharedServers,
  startFaultProxy,
  type TestNode,
} from '../../harness/index.ts'
import { type ArticleWorld, asOf, createArticleWorld, readTitle, writeTitle } from '../races/article-world.ts'

/** The log's past changes while no node lives. Redis still holds what was read as of the positions that are lost. */
const COUNT = 10
let past: LostPast
let world: ArticleWorld
const nodes: TestNode[] = []
const proxies: FaultProxy[] = []

afterEach(async () => {
  await closeNodes()
  for (const proxy of proxies.splice(0)) await proxy.close()
  await world.end().catch(() => {}) // its database may be on a server that is gone
  await past.stop()
})

/** Every other way to lose it, unless `TEST_RUNS` asks for more. */
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
const lost = Object.entries(LOST_PASTS).filter((_, n) => process.env.TEST_RUNS !== undefined || n % 2 === seed % 2)

describe.each(lost)(`If %s (TEST_SEED=${seed})`, (_, begin) => {
  it('shows nothing that is lost, and every write that comes afterwards', async () => {
    await prepare(begin)
    const url = await loseTitles()
    const [node, other] = [await start(url), await start(url)]
    expect(await titles(node)).toEqual(all('kept'))
    const { token } = await writeTitle(node.admin, 'new')
    for (const each of [node, other]) expect(await readTitle(each.visitor, token)).toBe('new')
    expect(await titles(other)).toEqual(all('kept').with(0, 'new'))
  })

  it('shows nothing that is lost once the log has grown past where it was', async () => {
    await prepare(begin)
    const url = await loseTitles()
    for (let time = 0; time < 3 * COUNT; time++) {
      await queryOnce(url, `update users set bio = 'another' where id = 1`)
      await queryOnce(url, 'select stet.sequence()')
    }
    const node = await start(url)
    expect(await titles(node)).toEqual(all('kept'))
    const { token } = await writeTitle(node.admin, 'new')
    expect(await readTitle((await start(url)).visitor, token)).toBe('new')
  })
})

describe('If the log has lost a part of its past, and is called as before', () => {
  it('shows nothing that is lost on a node that heard by Redis alone how the log went on', async () => {
    await prepare(LOST_PASTS['the server crashes under synchronous_commit=off'])
    await addTitles()
    const { url } = past.database
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(url).port) })
    proxies.push(proxy)
    await past.mark()
    const cutOff = await start(proxy.through(url))
    for (let id = 1; id <= COUNT; id++) await writeTitle(cutOff.admin, `lost ${id}`, id)
    expect(await titles(cutOff)).toEqual(all('lost'))
    await proxy.cut()
    await past.lose()
    const other = await start(url)
    let token = ''
    for (let time = 0; time < 3 * COUNT; time++) ({ token } = await writeTitle(other.admin, `new ${time}`))
    // It takes the messages, or finds that they are of another past.
    const heard = () =>
      Promise.all([readMetric(cutOff.url, 'stet_ledger_position'), readMetric(cutOff.url, 'stet_ledger_gaps_total')])
    await eventually(async () => {
      const [position, gaps] = await heard()
      return position >= Number.parseInt(token, 10) || gaps > 0
    })
    await proxy.restore()
    await eventually(() => readTitle(cutOff.visitor, token))
    expect(await titles(cutOff)).toEqual(all('kept').with(0, `new ${3 * COUNT - 1}`))
  })

  const secret = { CACHE_SECRET: 'a secret of the tests, of 32 bytes' }

  it.each([
    [
      'and an entry that is signed proves it: another epoch begins, and no token of the lost past is waited for',
      secret,
      true,
    ],
    ['and Redis proves nothing, because nothing is signed: the epoch goes on', {}, false],
  ])('%s', async (_, environment, begins) => {
    await prepare(LOST_PASTS['the server crashes under synchronous_commit=off'])
    const { url, epoch, token } = await loseAndTell(environment)
    const node = await start(url, environment)
    expect(await titles(node)).toEqual(all('kept'))
    expect((await epochOf(url)) !== epoch).toBe(begins)
    const { status } = await node.visitor.send('{ viewer { id } }', {}, asOf(token))
    expect(status).toBe(begins ? 200 : 503)
    expect((await results(node, 'lost')) + (await results(node, 'future'))).toBeGreaterThan(0)
  })

  it("begins no epoch for a client's token of the future, nor for an entry that is forged", async () => {
    await prepare(LOST_PASTS['the server crashes under synchronous_commit=off'])
    const { url } = past.database
    const node = await start(url, secret)
    const before = await epochOf(url)
    const [position, epoch] = [2 ** 40, before]
    expect((await node.visitor.send('{ viewer { id } }', {}, asOf(`${position}.${epoch}`))).status).toBe(503)
    const rows = node.cache.find('article')
    const key = String(rows?.keyOf('1'))
    const value = { id: 1, title: 'forged' }
    const forged = {
      key,
      epoch,
      asOf: position,
      tags: [],
      value,
      storedAtMs: Date.now(),
      staleAtMs: Date.now() + 60_000,
      loadMs: 1,
    }
    const redis = new Redis(sharedServers().redisUrl)
    await redis.set(key, encodeEntry(forged))
    redis.disconnect()
    expect(await readTitle(node.visitor)).toBe('old')
    expect(await epochOf(url)).toBe(before)
  })
})

async function prepare(begin: () => Promise<LostPast>): Promise<void> {
  past = await begin()
  world = await createArticleWorld(async () => past.database)
}

/** Titles that nodes have read, and left in Redis, are lost. Resolves with where the database is now. */
const loseTitles = async () => (await loseAndTell()).url

async function loseAndTell(environment: Record<string, string> = {}) {
  await addTitles()
  const first = await start(past.database.url, environment)
  expect(await titles(first)).toEqual(all('kept'))
  await closeNodes()

  const writtenAt = await past.mark()
  const writer = await start(writtenAt, environment)
  let token = ''
  for (let id = 1; id <= COUNT; id++) ({ token } = await writeTitle(writer.admin, `lost ${id}`, id))
  // As rows, and as answers that are kept.
  for (let time = 0; time < 3; time++) expect(await titles(writer)).toEqual(all('lost'))
  const epoch = await epochOf(writtenAt)
  await closeNodes()

  const url = await past.lose()
  expect(await queryOnce(url, 'select title from articles order by id')).toEqual(
    all('kept').map((title) => ({ title })),
  )
  return { url, epoch, token }
}

async function addTitles(): Promise<void> {
  await world.sql(
    `insert into articles (slug, title, body, status, author_id, published_at)
     select 'more-' || n, 'old', 'Body', 'PUBLISHED', 1, now() from generate_series(3, ${COUNT}) n`,
  )
  await world.sql(`update articles set title = 'kept ' || id`)
}

const all = (what: string) => Array.from({ length: COUNT }, (_, index) => `${what} ${index + 1}`)

function titles(node: TestNode): Promise<(string | undefined)[]> {
  const query = 'query ($id: ID!) { article(id: $id) { title } }'
  return Promise.all(
    all('').map(async (_, index) => {
      const { article } = await node.visitor.get<{ article: { title: string } }>(query, {
        id: toGlobalId('Article', index + 1),
      })
      return article.title
    }),
  )
}

async function epochOf(url: string): Promise<string> {
  const [row] = await queryOnce(url, 'select stet.current_epoch() as epoch')
  return String(row?.epoch)
}

const results = (node: TestNode, result: string) =>
  readMetric(node.url, 'stet_cache_requests_total', { tier: 'redis', result })

async function start(databaseUrl: string, environment: Record<string, string> = {}): Promise<TestNode> {
  const node = await world.startNode({
    databaseUrl,
    environment: { LOG_BEAT_MS: '50', WORKER: 'off', ...environment },
  })
  nodes.push(node)
  return node
}

async function closeNodes(): Promise<void> {
  for (const node of nodes.splice(0)) {
    await node.flush()
    await node.close()
  }
}
