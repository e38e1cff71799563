import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import {
  type PostgresServer,
  replicaIs,
  type Standby,
  startPostgres,
  type TestNode,
  type TestNodeOptions,
} from '../../harness/index.ts'
import {
  type ArticleWorld,
  askTitle,
  asOf,
  createArticleWorld,
  ROW_READ,
  readTitle,
  writeTitle,
} from './article-world.ts'

/** Nodes that load from a standby, whose lag is the test's to decide. */
let postgres: PostgresServer
let standby: Standby
let world: ArticleWorld
let nodes: readonly [TestNode, TestNode]

beforeAll(async () => {
  postgres = await startPostgres()
  standby = await postgres.startStandby()
})

afterAll(async () => {
  await standby?.stop()
  await postgres?.stop()
})

beforeEach(async () => {
  world = await createArticleWorld(postgres.createDatabase)
  await standby.caughtUp()
  nodes = [await startNode(), await startNode()]
})

afterEach(async () => {
  await standby.resumeReplay()
  await world.end()
})

const startNode = () => startReader({ environment: { DATABASE_REPLICA_URL: standby.urlOf(world.database) } })

/** A node that loads from the replica by now. */
async function startReader(options: Partial<TestNodeOptions>): Promise<TestNode> {
  const node = await world.startNode(options)
  await replicaIs(node, 'well')
  return node
}

it('shows a write on every node, though the replica they load from lacks it', async () => {
  await standby.pauseReplay()
  for (const [index, writer] of nodes.entries()) {
    const { title, token } = await writeTitle(writer.admin, `by ${index}`)
    expect(title).toBe(`by ${index}`)
    for (const node of nodes) expect(await readTitle(node.visitor, token)).toBe(`by ${index}`)
    const fresh = await startNode()
    expect(await readTitle(fresh.visitor)).toBe(`by ${index}`)
  }
})

it('loads from the replica what no write has touched, and from the primary what the replica lacks', async () => {
  const [replica, primary] = [await world.startGate(standby.url), await world.startGate(postgres.url)]
  const reader = await startReader({
    redisUrl: undefined, // where the writer has put the row
    databaseUrl: primary.through(world.database.url),
    environment: { DATABASE_REPLICA_URL: replica.through(standby.urlOf(world.database)) },
  })
  await standby.pauseReplay()
  const { token } = await writeTitle(nodes[0].admin, 'new')

  const untouched = replica.hold(/from "users" where "id" = /)
  const touched = primary.hold(ROW_READ)
  const answer = reader.visitor.get('{ article(slug: "one") { title author { displayName } } }', {}, asOf(token))
  for (const read of [touched, untouched]) {
    await read.arrived
    read.release()
  }
  expect(await answer).toEqual({ article: { title: 'new', author: { displayName: 'Ada' } } })
})

it('never answers with less than a token asks for, while the replica lags, halts and catches up', async () => {
  const answers: { readonly asked: number; readonly round: number }[] = []
  let writing = true
  /** Goes from node to node, carrying the token of the last answer. */
  const readAround = async (turn: number) => {
    let carried: string | null = null
    for (; writing; turn++) {
      const { data, token } = await askTitle(nodes[turn % 2 === 0 ? 0 : 1].visitor, carried)
      answers.push({ asked: positionOf(carried), round: roundOf(data.article?.title) })
      carried = token
    }
  }
  const readers = [0, 1, 2, 3].map(readAround)
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      if (round % 10 === 3) await standby.pauseReplay()
      if (round % 10 === 8) await standby.resumeReplay()
      const writer = nodes[round % 2 === 0 ? 0 : 1]
      expect((await writeTitle(writer.admin, `round ${round}`)).title).toBe(`round ${round}`)
    }
  } finally {
    writing = false
  }
  await Promise.all(readers)

  const positions = await positionsOfRounds()
  const tooOld = answers.filter(({ asked, round }) => (positions[round] ?? Number.POSITIVE_INFINITY) <= asked)
  expect(tooOld).toEqual([])
  expect(answers.length).toBeGreaterThan(ROUNDS)
  await standby.caughtUp()
  for (const node of nodes) expect(await readTitle(node.visitor, await world.token())).toBe(`round ${ROUNDS}`)
})

const ROUNDS = 50

const positionOf = (token: string | null): number => Number.parseInt(token ?? '0', 10)
const roundOf = (title = ''): number => (title === 'old' ? 0 : Number(title.replace('round ', '')))

/** At index n the position of the write that ended round n. */
async function positionsOfRounds(): Promise<readonly number[]> {
  const rows = await world.sql(`select position from stet.log where 'articles:1' = any (tags) order by position`)
  const positions = rows.map(({ position }) => Number(position)).slice(-ROUNDS)
  expect(positions).toHaveLength(ROUNDS)
  return positions
}
