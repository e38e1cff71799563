import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually, sharedServers, type TestNode } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './article-world.ts'
import { isNotification, type ReplyGate } from './reply-gate.ts'

/** Messages get lost on their way to one node, which has no beat: only what still arrives can tell it of a gap. */
let world: ArticleWorld
let postgres: ReplyGate
let redis: ReplyGate
let writer: TestNode
let hearer: TestNode

beforeEach(async () => {
  world = await createArticleWorld()
  postgres = await world.startGate(sharedServers().postgresUrl)
  redis = await world.startGate(sharedServers().redisUrl)
  writer = await world.startNode()
  hearer = await world.startNode({
    databaseUrl: postgres.through(world.database.url),
    redisUrl: redis.through(sharedServers().redisUrl),
  })
  await eventually(async () => (await countListeners()) === 2)
})

afterEach(() => world.end())

it('learns from each message that arrives what those before it would have told', async () => {
  let messages = 0
  postgres.lose(isNotification)
  redis.lose((reply) => isMessage(reply) && ++messages % 2 === 1)

  for (let round = 1; round <= 10; round++) {
    const before = hearer.ledger.seen
    await writeTitle(writer.admin, `round ${round}`)
    await eventually(() => messages === 2 * round - 1)
    expect(hearer.ledger.seen).toBe(before)
    // About another article: the gap alone can say that something else fell.
    await writeTitle(writer.admin, `other ${round}`, 2)
    await eventually(() => hearer.ledger.seen === writer.ledger.seen)
    expect(await readTitle(hearer.visitor)).toBe(`round ${round}`)
  }
})

it('shows a write to whoever carries its token, though every message of it was lost', async () => {
  postgres.lose(isNotification)
  redis.lose(isMessage)
  expect(await readTitle(hearer.visitor)).toBe('old')
  for (let round = 1; round <= 10; round++) {
    const { token } = await writeTitle(writer.admin, `round ${round}`)
    expect(await readTitle(hearer.visitor, token)).toBe(`round ${round}`)
  }
})

it('learns of writes by NOTIFY where Redis says nothing', async () => {
  redis.lose(isMessage)
  expect(await readTitle(hearer.visitor)).toBe('old')
  await writeTitle(writer.admin, 'new')
  await eventually(async () => (await readTitle(hearer.visitor)) === 'new')
})

it('learns of writes by Redis where NOTIFY says nothing', async () => {
  postgres.lose(isNotification)
  expect(await readTitle(hearer.visitor)).toBe('old')
  await writeTitle(writer.admin, 'new')
  await eventually(async () => (await readTitle(hearer.visitor)) === 'new')
})

const isMessage = (reply: string) => reply.includes('message\r\n')

async function countListeners(): Promise<unknown> {
  const client = new Redis(sharedServers().redisUrl)
  try {
    const [, count] = (await client.pubsub('NUMSUB', `${world.redisPrefix}log`)) as [string, number]
    return count
  } finally {
    client.disconnect()
  }
}
