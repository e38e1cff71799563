import { afterEach, beforeEach, expect, it } from '@jest/globals'
import {
  eventually,
  type FaultProxy,
  type PostgresServer,
  replicaIs,
  type Standby,
  startFaultProxy,
  startPostgres,
  type TestNode,
} from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from '../races/article-world.ts'

/** A primary, and two standbys: one that is promoted without the primary's last writes, and one that has them and is left behind. */
let primary: PostgresServer
let heir: Standby
let leftBehind: Standby
let world: ArticleWorld
/** Leads to whichever is primary. */
let door: FaultProxy

beforeEach(async () => {
  primary = await startPostgres()
  heir = await primary.startStandby()
  leftBehind = await primary.startStandby()
  world = await createArticleWorld(primary.createDatabase)
  door = await startFaultProxy(address(primary.url))
})

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close()
  await door.close()
  await world.end().catch(() => {}) // its database is on a server that is gone
  for (const server of [heir, leftBehind, primary]) await server.stop()
})

const nodes: TestNode[] = []

it('shows nothing of a history that was lost, from no tier and from no replica, and whatever came after', async () => {
  const writer = await start()
  await writeTitle(writer.admin, 'kept')
  for (const standby of [heir, leftBehind]) await standby.caughtUp()
  await heir.leave()

  const { token: lost } = await writeTitle(writer.admin, 'lost')
  await leftBehind.caughtUp()
  // Without Redis, where it would find what the writer loads from the heir.
  const fromReplica = { DATABASE_REPLICA_URL: leftBehind.urlOf(world.database), REDIS_URL: '' }
  const reader = await start(fromReplica)
  await replicaIs(reader, 'well')
  for (const node of [writer, reader]) expect(await readTitle(node.visitor, lost)).toBe('lost')
  await writer.flush()

  await door.cut()
  await primary.kill()
  await heir.promote()
  door.leadTo(address(heir.url))
  await door.restore()

  for (const node of [writer, reader]) {
    await eventually(async () => (await title(node)) === 'kept')
    expect(await title(node, lost)).toBe('kept')
  }
  // At the very positions that the lost write had.
  const { token } = await writeTitle(reader.admin, 'new')
  for (const node of [reader, writer, await start(fromReplica)]) {
    expect(await readTitle(node.visitor, token)).toBe('new')
  }
})

/** Undefined while the node has not found its way yet. */
const title = (node: TestNode, token?: string | null) => readTitle(node.visitor, token).catch(() => undefined)

async function start(environment: Record<string, string> = {}): Promise<TestNode> {
  const node = await world.startNode({
    databaseUrl: door.through(world.database.url),
    environment: { LOG_BEAT_MS: '50', ...environment },
  })
  nodes.push(node)
  return node
}

function address(url: string) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
