import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { type GraphQLClient, sharedServers, type TestNode } from '../../harness/index.ts'
import { type ArticleWorld, createArticleWorld, readTitle } from './article-world.ts'
import type { ReplyGate } from './reply-gate.ts'

/** The log's history is replaced while a request is answered: by a standby that lacked the last writes, say. */
let world: ArticleWorld
let postgres: ReplyGate
let node: TestNode

beforeEach(async () => {
  world = await createArticleWorld()
  postgres = await world.startGate(sharedServers().postgresUrl)
  node = await world.startNode({ databaseUrl: postgres.through(world.database.url) })
})

afterEach(() => world.end())

it.each([
  ['a visitor', () => node.visitor],
  ['an admin', () => node.admin],
])('never shows %s something of both histories at once', async (_, viewer) => {
  expect(await readTitle(node.visitor)).toBe('old')
  const count = postgres.hold(/from "users"/)
  // The title is at hand; the count must be read.
  const answering = ask(viewer())
  await count.arrived

  await world.sql(`
    begin;
    update articles set title = 'of the other history' where id = 1;
    delete from stet.pending;
    select stet.start_epoch(stet.current_epoch());
    commit`)
  const token = await world.token()
  expect(await readTitle(node.visitor, token)).toBe('of the other history')
  count.release()

  const answer = await answering
  expect(answer.data).toEqual({ article: { title: 'of the other history' }, users: { totalCount: 1 } })
  expect(answer.token).toBe(token)
})

const ask = (viewer: GraphQLClient) =>
  viewer.send('query ($id: ID!) { article(id: $id) { title } users { totalCount } }', { id: toGlobalId('Article', 1) })
