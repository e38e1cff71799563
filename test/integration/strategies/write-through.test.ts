import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { eventually, type PostgresServer } from '../../harness/index.ts'
import { asOf } from '../races/article-world.ts'
import type { ServedNode } from './served-node.ts'
import { createServedWorld, type ServedWorld } from './served-world.ts'
import { startLoggingPostgres } from './statement-log.ts'

/** What a mutation wrote is in the cache already: nobody has to read it. */
let postgres: PostgresServer
let world: ServedWorld
let nodes: readonly [ServedNode, ServedNode]
let mark: Awaited<ReturnType<ServedWorld['statements']['mark']>>

beforeAll(async () => {
  postgres = await startLoggingPostgres()
  world = await createServedWorld(postgres)
  nodes = await Promise.all([world.serve('node 1'), world.serve('node 2')])
  await world.sql(`insert into tags (slug, name) values ('novel', 'Novel')`)
  const token = await world.token()
  for (const { visitor } of nodes) await visitor.get(LOOK_UP, KEYS, asOf(token))
})

afterAll(async () => {
  await world.end()
  await postgres.stop()
})

beforeEach(async () => {
  mark = await world.statements.mark()
})

it.each([
  [
    'updateUser',
    'mutation ($user: ID!) { updateUser(input: { id: $user, displayName: "Countess" }) { user { displayName } } }',
    { user: { displayName: 'Countess' } },
  ],
  [
    'updateTag',
    'mutation ($tag: ID!) { updateTag(input: { id: $tag, name: "Fiction" }) { tag { name } } }',
    { tag: { name: 'Fiction' } },
  ],
  [
    'updateArticle',
    'mutation ($article: ID!) { updateArticle(input: { id: $article, title: "New" }) { article { title tags { id } } } }',
    { article: { title: 'New', tags: [] } },
  ],
])('reads no row for the answer of %s, nor for whoever asks then, on any node', async (name, mutation, written) => {
  const { data, errors, token } = await nodes[0].admin.send<Record<string, object>>(mutation, KEYS)
  expect([errors, data[name]]).toEqual([[], written])
  expect(await world.statements.since(mark, ROWS_READ)).toEqual([])
  const own = await nodes[0].visitor.send(LOOK_UP, KEYS)
  expect([own.data, own.headers.get('x-cache')]).toEqual([expect.objectContaining(written), 'HIT'])
  await eventually(async () => {
    const [entry] = await world.entriesInRedis(`1:${name.replace('update', '').toLowerCase()}.*:1`)
    return entry?.asOf === Number(token?.split('.')[0])
  })
  const other = await nodes[1].visitor.send(LOOK_UP, KEYS, asOf(token))
  expect([other.data, other.headers.get('x-cache')]).toEqual([expect.objectContaining(written), 'HIT'])
  expect(await world.statements.since(mark, ROWS_READ)).toEqual([])
  const writes = await world.statements.since(mark, /^(with written as \()?update "(users|tags|articles)" set/)
  expect(writes.map(({ by }) => by)).toEqual(['node 1'])
})

it('knows what was created, and what was deleted, without reading it', async () => {
  const { data } = await nodes[0].admin.send<{
    createUser: { user: { id: string } }
    createTag: { tag: { id: string } }
  }>(
    `mutation { createUser(input: { username: "grace", displayName: "Grace", email: "grace@example.com" }) { user { id } }
                createTag(input: { slug: "poem", name: "Poem" }) { tag { id } } }`,
  )
  const keys = { ...KEYS, user: data.createUser.user.id, tag: data.createTag.tag.id }
  const created = await nodes[0].visitor.get(LOOK_UP, keys)
  expect(created).toMatchObject({ user: { displayName: 'Grace' }, tag: { name: 'Poem' } })
  await nodes[0].admin.get(
    'mutation ($user: ID!, $tag: ID!) { deleteUser(id: $user) { deletedId } deleteTag(id: $tag) { deletedId } }',
    keys,
  )
  expect(await nodes[0].visitor.get(LOOK_UP, keys)).toMatchObject({ user: null, tag: null })
  expect(await world.statements.since(mark, ROWS_READ)).toEqual([])
})

it('reads the row where somebody else wrote it in the same moment', async () => {
  const other = await world.connect()
  await other.query(`begin; update users set bio = 'By hand.' where id = 1`)
  const mutation = `mutation ($user: ID!) { updateUser(input: { id: $user, displayName: "Both" }) { user { displayName bio } } }`
  // The mutation waits for the row until the other write has committed: both are in the log after it began.
  const answering = nodes[0].admin.get(mutation, KEYS)
  await eventually(aStatementWaits)
  await other.query('commit')
  expect(await answering).toEqual({ updateUser: { user: { displayName: 'Both', bio: 'By hand.' } } })
  const reads = await world.statements.since(mark, ROWS_READ)
  expect(reads.map(({ by }) => by)).toEqual(['node 1'])
})

it("reads an article's tags again where they were changed while it was", async () => {
  const other = await world.connect()
  const update = (title: string) =>
    `mutation ($article: ID!) { updateArticle(input: { id: $article, title: "${title}" }) { article { title tags { id } } } }`
  // It waits for the row; what the statement sees of the tags is older than what it changes.
  await other.query(
    `begin; update articles set summary = 'By hand.' where id = 1; insert into article_tags values (1, 1)`,
  )
  const waiting = nodes[0].admin.get(update('After'), KEYS)
  await eventually(aStatementWaits)
  await other.query('commit')
  const tagged = { title: 'After', tags: [{ id: KEYS.tag }] }
  expect(await waiting).toEqual({ updateArticle: { article: tagged } })
  expect(await nodes[0].visitor.get(LOOK_UP, KEYS)).toMatchObject({ article: tagged })
  // It waits for nobody, and the tags change right after.
  await other.query(`begin; delete from article_tags where article_id = 1`)
  expect(await nodes[0].admin.get(update('Before'), KEYS)).toEqual({
    updateArticle: { article: { ...tagged, title: 'Before' } },
  })
  await other.query('commit')
  const token = await world.token()
  expect(await nodes[0].visitor.send(LOOK_UP, KEYS, asOf(token))).toMatchObject({
    data: { article: { title: 'Before', tags: [] } },
  })
})

const LOOK_UP = `query ($user: ID!, $tag: ID!, $article: ID!) {
  user: node(id: $user) { ... on User { displayName } }
  tag: node(id: $tag) { ... on Tag { name } }
  article: node(id: $article) { ... on Article { title tags { id } } }
}`
const KEYS = { user: toGlobalId('User', 1), tag: toGlobalId('Tag', 1), article: toGlobalId('Article', 1) }

/** What asks PostgreSQL for a row. */
const ROWS_READ = /select .* from "(users|tags|articles)" where "id" = /s

/** In this database: others on the server wait for locks of their own. */
async function aStatementWaits(): Promise<boolean> {
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  return (await world.sql(waiting)).length > 0
}
