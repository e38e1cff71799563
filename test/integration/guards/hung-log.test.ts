import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { addContent } from '../../api/add-content.ts'
import {
  createMigratedDatabase,
  eventually,
  type FaultProxy,
  queryOnce,
  startFaultProxy,
  startTestNode,
  type TestDatabase,
  type TestNode,
} from '../../harness/index.ts'

/** The connection that follows the log can hang while every other connection to PostgreSQL is well. */
let database: TestDatabase
let proxy: FaultProxy
let node: TestNode

beforeEach(async () => {
  database = await createMigratedDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startFaultProxy({ host: hostname, port: Number(port) })
  node = await startTestNode({ databaseUrl: proxy.through(database.url) })
  await addContent(database.url)
  await node.catchUp()
})

afterEach(async () => {
  await node.close()
  await proxy.close()
  await database.drop()
})

it('soon shows what another process wrote, and until then says that it may be stale', async () => {
  await eventually(async () => (await ask()).cache === 'HIT')
  expect(proxy.halfOpen('stet.sequence')).toBeGreaterThan(0)
  await queryOnce(database.url, `update articles set title = 'theirs' where slug = 'published'`)
  const writtenAt = performance.now()
  await eventually(async () => {
    const askedAt = performance.now()
    const { title, cache } = await ask()
    // Whatever the machine does meanwhile: an answer that isn't marked is no older than this.
    if (title !== 'theirs' && askedAt - writtenAt > BEAT_MS + LATE_MS) expect(cache).toBe('STALE')
    return title === 'theirs'
  })
  expect(performance.now() - writtenAt).toBeLessThan(3000)
  await eventually(async () => (await ask()).cache === 'HIT')
})

it('does not keep a mutation waiting', async () => {
  await eventually(async () => (await ask()).cache === 'HIT')
  expect(proxy.halfOpen('stet.sequence')).toBeGreaterThan(0)
  const askedAt = performance.now()
  await node.admin.get('mutation { createTag(input: { name: "Soon" }) { tag { slug } } }')
  expect(performance.now() - askedAt).toBeLessThan(3000)
})

it('says so, and lets nobody wait, while PostgreSQL hangs as a whole', async () => {
  await eventually(async () => (await ask()).cache === 'HIT')
  proxy.stall()
  const hungAt = performance.now()
  await eventually(async () => (await ask()).cache === 'STALE')
  expect(performance.now() - hungAt).toBeLessThan(1500)
  const askedAt = performance.now()
  for (let time = 0; time < 20; time++) expect(await ask()).toMatchObject({ cache: 'STALE' })
  expect(performance.now() - askedAt).toBeLessThan(20 * LATE_MS)
  await proxy.restore()
  await eventually(async () => (await ask()).cache === 'HIT')
})

it('is not ready to promise anything else after a pause of its own process', async () => {
  await eventually(async () => (await ask()).cache === 'HIT')
  for (let time = 0; time < 5; time++) {
    const until = performance.now() + BEAT_MS + LATE_MS + 100
    while (performance.now() < until);
    // One look at the log comes first.
    expect(await ask()).toMatchObject({ cache: 'HIT' })
  }
})

async function ask() {
  const { headers, data } = await node.visitor.send<{ readonly article: { readonly title: string } }>(
    '{ article(slug: "published") { title } }',
  )
  return { title: data?.article.title, cache: headers.get('x-cache') }
}

const BEAT_MS = 50
const LATE_MS = 250
