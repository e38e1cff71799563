import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { type GraphQLClient, sharedServers, type TestNode } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, ROW_WRITE } from './article-world.ts'
import type { ReplyGate } from './reply-gate.ts'

/** A write changes nothing, since the article isn't as it must be; and before it is asked why, somebody makes it so. */
let world: ArticleWorld
let postgres: ReplyGate
let node: TestNode

beforeEach(async () => {
  world = await createArticleWorld()
  await world.sql(`insert into users (username, display_name, email) values ('grace', 'Grace', 'grace@example.com')`)
  postgres = await world.startGate(sharedServers().postgresUrl)
  node = await world.startNode({ databaseUrl: postgres.through(world.database.url) })
})

afterEach(() => world.end())

interface Case {
  readonly mutation: string
  readonly refused: RegExp
  /** What somebody else does. */
  readonly meanwhile: string
  readonly who?: () => GraphQLClient | Promise<GraphQLClient>
  readonly answer: unknown
  readonly left: unknown
}

const cases: Record<string, Case> = {
  'publishes what is a draft by then': {
    mutation: 'publishArticle(id: $id) { article { status version } }',
    refused: ROW_WRITE,
    meanwhile: `update articles set status = 'DRAFT', published_at = null where id = 1`,
    answer: { publishArticle: { article: { status: 'PUBLISHED', version: 3 } } },
    left: [{ title: 'old', status: 'PUBLISHED' }],
  },
  'updates what has the expected version by then': {
    mutation: 'updateArticle(input: { id: $id, title: "new", expectedVersion: 2 }) { article { title version } }',
    refused: ROW_WRITE,
    meanwhile: `update articles set title = 'newer' where id = 1`,
    answer: { updateArticle: { article: { title: 'new', version: 3 } } },
    left: [{ title: 'new', status: 'PUBLISHED' }],
  },
  'updates what equals the change no more by then': {
    mutation: 'updateArticle(input: { id: $id, title: "old" }) { article { title version } }',
    refused: ROW_WRITE,
    meanwhile: `update articles set title = 'newer' where id = 1`,
    answer: { updateArticle: { article: { title: 'old', version: 3 } } },
    left: [{ title: 'old', status: 'PUBLISHED' }],
  },
  'deletes what is their own by then': {
    mutation: 'deleteArticle(id: $id) { deletedId }',
    refused: /delete from "articles"/,
    meanwhile: 'update articles set author_id = 2 where id = 1',
    who: () => node.author(2),
    answer: { deleteArticle: { deletedId: toGlobalId('Article', 1) } },
    left: [],
  },
}

it.each(Object.entries(cases))('%s', async (_, { mutation, refused, meanwhile, who, answer, left }) => {
  const refusal = postgres.hold(refused)
  const writer = (await who?.()) ?? node.admin
  const writing = writer.get(`mutation ($id: ID!) { ${mutation} }`, { id: toGlobalId('Article', 1) })
  await refusal.arrived
  await world.sql(meanwhile)
  refusal.release()
  expect(await writing).toEqual(answer)
  expect(await world.sql('select title, status from articles where id = 1')).toEqual(left)
})
