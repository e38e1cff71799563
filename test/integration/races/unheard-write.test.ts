import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { type Answer, sharedServers, type TestNode } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle, writeTitle } from './article-world.ts'
import { isNotification } from './reply-gate.ts'

/** A node that hears of nothing loads from a database that knows more than it does. */
let world: ArticleWorld
let writer: TestNode
let deaf: TestNode

beforeEach(async () => {
  world = await createArticleWorld()
  const postgres = await world.startGate(sharedServers().postgresUrl)
  writer = await world.startNode()
  deaf = await world.startNode({ databaseUrl: postgres.through(world.database.url), redisUrl: undefined })
  postgres.lose(isNotification)
})

afterEach(() => world.end())

const QUERY = '{ article(slug: "one") { title } }'
const positionOf = ({ token }: Answer<unknown>) => Number.parseInt(String(token), 10)

it('covers with the token of a whole answer all that it shows, whoever it is given to', async () => {
  await readTitle(writer.visitor)
  const { token } = await writeTitle(writer.admin, 'new')
  const written = Number.parseInt(String(token), 10)
  expect(deaf.ledger.seen).toBeLessThan(written)
  // Made for one, for those who ask meanwhile, and kept for those who ask later.
  const answers = await Promise.all([1, 2, 3].map(() => deaf.visitor.send(QUERY)))
  for (const method of ['POST', 'GET', 'POST', 'GET'] as const) {
    answers.push(await deaf.visitor.send(QUERY, {}, {}, method))
  }
  expect(deaf.ledger.seen).toBeLessThan(written)
  expect(answers.at(-1)?.headers.get('x-cache')).toBe('HIT')
  for (const answer of answers) {
    expect(answer.data).toEqual({ article: { title: 'new' } })
    expect(positionOf(answer)).toBeGreaterThanOrEqual(written)
  }
})
