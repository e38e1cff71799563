import { beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import {
  emptyContent,
  eventually,
  GraphQLClient,
  queryOnce,
  readMetrics,
  startFaultProxy,
  type TestNode,
  testToken,
} from '../harness/index.ts'
import { use, useDatabase, useNode, useRedis } from '../harness/use.ts'
import { ANN, addContent, BOB, ids } from './add-content.ts'

/** A user's row decides: whoever is no admin any more is none from the next request on, whatever their token says. */
const database = await useDatabase()
const shared = { database, redis: useRedis(), environment: { WORKER: 'off' } }
const nodes = [await useNode(shared), await useNode(shared)] as const
const [one, two] = nodes

beforeEach(async () => {
  await emptyContent(database.url)
  await addContent(database.url)
  await queryOnce(database.url, `update users set role = 'ADMIN' where id = ${BOB}`)
  for (const node of nodes) await node.catchUp()
})

const bobOn = async (node: TestNode) => new GraphQLClient(node.url, await testToken('admin', BOB))
const DRAFTS = '{ articles(filter: { status: DRAFT }, orderBy: TITLE) { nodes { slug } } viewer { username } }'

async function drafts(client: GraphQLClient, headers: Record<string, string> = {}) {
  const {
    status,
    data,
    errors,
    headers: sent,
  } = await client.send<{ articles: { nodes: { slug: string }[] } } | undefined>(DRAFTS, {}, headers)
  const code = errors[0]?.extensions.code
  return { status, slugs: data?.articles.nodes.map(({ slug }) => slug), code, word: sent.get('x-cache') }
}

const ADMINS = { status: 200, slugs: ['anns-draft', 'bobs-draft'] }
const BOBS = { status: 200, slugs: ['bobs-draft'] }
const GONE = { status: 401, slugs: undefined, code: 'UNAUTHENTICATED' }

/** An admin's answer that memory holds on this node, found by the bytes of the request alone. */
async function keep(node: TestNode): Promise<GraphQLClient> {
  const bob = await bobOn(node)
  for (let time = 0; time < 3; time++) expect(await drafts(bob)).toMatchObject(ADMINS)
  expect(await drafts(bob)).toMatchObject({ ...ADMINS, word: 'HIT' })
  return bob
}

const demote = `mutation { updateUser(input: { id: "${ids.bob}", role: AUTHOR }) { user { role } } }`

it('shows a demotion at once on the node that wrote it, and by its token on the others', async () => {
  const [here, there] = [await keep(one), await keep(two)]
  const { headers } = await one.admin.send(demote)
  expect(await drafts(here)).toMatchObject(BOBS)
  const token = { 'stet-as-of': String(headers.get('stet-as-of')) }
  expect(await drafts(there, token)).toMatchObject(BOBS)
  expect(await drafts(there)).toMatchObject(BOBS)
})

it('shows a demotion that was written in SQL, past every node', async () => {
  const [here, there] = [await keep(one), await keep(two)]
  await queryOnce(database.url, `update users set role = 'AUTHOR' where id = ${BOB}`)
  for (const node of nodes) await node.catchUp()
  expect(await drafts(here)).toMatchObject(BOBS)
  expect(await drafts(there)).toMatchObject(BOBS)
  // With what an author may do.
  for (const client of [here, there]) {
    const { errors } = await client.send('mutation { invalidateCache(tags: ["articles:1"]) { tags } }')
    expect(errors[0]?.extensions.code).toBe('FORBIDDEN')
  }
})

it('reaches every node without a token, as any write does', async () => {
  const there = await keep(two)
  await one.admin.get(demote)
  await eventually(async () => expect(await drafts(there)).toMatchObject(BOBS))
})

it('refuses a user who was deleted, also where an answer to their request is kept', async () => {
  const [here, there] = [await keep(one), await keep(two)]
  const author = await one.author(BOB)
  expect(await drafts(author)).toMatchObject(BOBS)
  await queryOnce(database.url, `delete from articles where author_id = ${BOB}`)
  const { headers } = await one.admin.send(`mutation { deleteUser(id: "${ids.bob}") { deletedId } }`)
  expect(await drafts(here)).toMatchObject(GONE)
  expect(await drafts(author)).toMatchObject(GONE)
  expect(await drafts(there, { 'stet-as-of': String(headers.get('stet-as-of')) })).toMatchObject(GONE)
  for (const client of [here, there, author]) {
    expect(await client.send('{ __typename }')).toMatchObject({ status: 401, data: undefined })
  }
})

it('knows a user from the moment that there is one, and an admin from when they are one again', async () => {
  const next = new GraphQLClient(one.url, await testToken('admin', 3))
  expect(await drafts(next)).toMatchObject(GONE)
  await one.admin.get(
    'mutation { createUser(input: { username: "eve", displayName: "Eve", email: "eve@example.com" }) { user { id } } }',
  )
  expect(await drafts(next)).toMatchObject({ status: 200, slugs: [] })
  await one.admin.get(`mutation { updateUser(input: { id: "${toGlobalId('User', 3)}", role: ADMIN }) { user { id } } }`)
  expect(await drafts(next)).toMatchObject(ADMINS)
})

it('takes an author for no more than the token says, also where the row says admin', async () => {
  const { errors } = await (await one.author(BOB)).send('mutation { invalidateCache(tags: ["articles:1"]) { tags } }')
  expect(errors[0]?.extensions.code).toBe('FORBIDDEN')
  expect(await drafts(new GraphQLClient(one.url, await testToken('admin', ANN)))).toMatchObject({
    slugs: ['anns-draft'],
  })
})

it('reads the row once: afterwards it is in memory', async () => {
  const client = await keep(one)
  const before = await loadsOfUsers(one)
  for (let time = 0; time < 5; time++) expect(await drafts(client)).toMatchObject({ word: 'HIT' })
  expect(await loadsOfUsers(one)).toBe(before)
})

it('says that it cannot know who is asking while the row cannot be read, and lets nobody in by that', async () => {
  const { hostname, port } = new URL(database.url)
  const proxy = use(await startFaultProxy({ host: hostname, port: Number(port) }), (it) => it.close())
  const node = await useNode({ database: { ...database, url: proxy.through(database.url) } })
  await proxy.cut()
  expect(await drafts(await bobOn(node))).toMatchObject({ status: 503, code: 'UNAVAILABLE', slugs: undefined })
  await proxy.restore()
  await eventually(async () => expect(await drafts(await bobOn(node))).toMatchObject(ADMINS))
})

async function loadsOfUsers(node: TestNode): Promise<string | undefined> {
  const metrics = await readMetrics(node.url)
  return /^stet_cache_load_seconds_count\{kind="user"\} (\d+)/m.exec(metrics)?.[1]
}
