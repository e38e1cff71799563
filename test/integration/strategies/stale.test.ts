import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import { eventually, type GraphQLClient, type PostgresServer } from '../../harness/index.ts'
import { asOf, ROW_READ, writeTitle } from '../races/article-world.ts'
import type { ServedNode } from './served-node.ts'
import { createServedWorld, type ServedWorld } from './served-world.ts'
import { startLoggingPostgres } from './statement-log.ts'

/** Whoever is given something stale is told so, and nobody is who mustn't be. */
let postgres: PostgresServer
let world: ServedWorld
let nodes: readonly [ServedNode, ServedNode]
/** Row id of the article that a test is about. */
let id: number

beforeAll(async () => {
  postgres = await startLoggingPostgres()
})

afterAll(() => postgres.stop())

beforeEach(async () => {
  const [row] = await world.sql(
    `insert into articles (slug, title, body, status, author_id, published_at)
     values (gen_random_uuid(), 'old', 'Body', 'PUBLISHED', 1, now()) returning id::int`,
  )
  id = Number(row?.id)
  // What shows a write that has no position yet would be answered and not kept.
  await world.token()
})

describe('of entries that live for a second', () => {
  serveTwo({ CACHE_TTL_ARTICLE: '1', CACHE_TTL_USER: '1', CACHE_LOAD_TIMEOUT_MS: '2000' })

  it('marks a stale answer as such, counts it, and has begun to refresh it', async () => {
    for (const node of nodes) expect(await ask(node.visitor)).toMatchObject(OLD)
    await world.behindTheLog(`update articles set title = 'new' where id = ${id}`)
    const mark = await world.statements.mark()
    const refreshed = await refreshes()
    const table = await world.holdTable('articles')
    for (const node of nodes) await eventually(async () => (await ask(node.visitor)).cache === 'STALE')
    expect(await eventually(async () => nonEmpty(await table.waiting()))).toHaveLength(1)
    for (const node of nodes) {
      const before = await node.metric('stet_stale_served_total', { why: 'revalidating' })
      for (let asked = 0; asked < 5; asked++) expect(await ask(node.visitor)).toEqual({ ...OLD, cache: 'STALE' })
      expect(await node.metric('stet_stale_served_total', { why: 'revalidating' })).toBe(before + 5)
    }
    expect(await refreshes()).toEqual(refreshed.map((many) => many + 1))
    await table.release()
    for (const node of nodes) {
      await eventually(async () => expect(await ask(node.visitor)).toEqual({ title: 'new', cache: 'HIT' }))
    }
    // For the second node what the first one has loaded is fresh enough, unless it turned stale meanwhile.
    expect((await world.statements.since(mark, ROW_READ)).length).toBeLessThanOrEqual(2)
  })

  it('serves nothing stale after a HARD invalidation, though the load fails', async () => {
    for (const node of nodes) await ask(node.visitor)
    await world.behindTheLog(`update articles set title = 'new' where id = ${id}`)
    const table = await world.holdTable('articles')
    for (const node of nodes) await eventually(async () => (await ask(node.visitor)).cache === 'STALE')
    const token = await invalidate('HARD')
    const asked = [ask(nodes[0].visitor), ask(nodes[0].visitor, token), ask(nodes[1].visitor, token)]
    expect(await Promise.all(asked)).toMatchObject(Array(3).fill({ code: 'LOAD_TIMEOUT' }))
    await table.release()
    for (const node of nodes) expect(await ask(node.visitor, token)).toMatchObject({ title: 'new' })
  })

  it('shows nobody anything stale in the answer to their own write, nor after it', async () => {
    for (const node of nodes) await node.visitor.get(WITH_AUTHOR, { id: globalId() })
    await world.behindTheLog(`update users set display_name = 'Countess' where id = 1`)
    // The article and its author are past their time to live; the author is about to be refreshed, and can't be.
    const table = await world.holdTable('users')
    await eventually(async () => (await askAuthor(nodes[0])).cache === 'STALE')
    const update = `mutation ($input: UpdateArticleInput!) {
      updateArticle(input: $input) { article { title author { displayName } } } }`
    const input = { id: globalId(), title: 'mine' }
    const answering = nodes[0].admin.send<{ updateArticle: unknown }>(update, { input })
    await eventually(
      async () => (await world.sql('select title from articles where id = $1', [id]))[0]?.title === 'mine',
    )
    expect(await askAuthor(nodes[0])).toMatchObject({ author: 'Ada', cache: 'STALE' })
    await table.release()
    const { data, headers, token } = await answering
    expect(data.updateArticle).toEqual({ article: { title: 'mine', author: { displayName: 'Countess' } } })
    expect(headers.get('x-cache')).toBe('MISS')
    for (const node of nodes) expect(await ask(node.visitor, token)).toMatchObject({ title: 'mine' })
  })

  it('shows the writer the write on every node, however stale what stands there is', async () => {
    for (const writer of nodes) {
      for (const node of nodes) await eventually(async () => (await ask(node.visitor)).cache === 'STALE')
      const { title, token } = await writeTitle(writer.admin, `by ${writer.name}`, id)
      expect(title).toBe(`by ${writer.name}`)
      for (const node of nodes) {
        const answer = await ask(node.visitor, token)
        expect(answer.title).toBe(title)
        expect(answer.cache).not.toBe('STALE')
      }
    }
  })
})

describe('of entries that live long', () => {
  serveTwo()

  it('serves once more what was invalidated softly, but not to whoever did it', async () => {
    for (const node of nodes) expect(await ask(node.visitor)).toMatchObject(OLD)
    await world.behindTheLog(`update articles set title = 'new' where id = ${id}`)
    for (const node of nodes) expect(await ask(node.visitor)).toEqual({ ...OLD, cache: 'HIT' })
    const mark = await world.statements.mark()
    const table = await world.holdTable('articles')
    const token = await invalidate('SOFT')
    for (const node of nodes) {
      await eventually(async () => expect(await ask(node.visitor)).toEqual({ ...OLD, cache: 'STALE' }))
      expect(await node.metric('stet_stale_served_total', { why: 'softened' })).toBeGreaterThanOrEqual(1)
    }
    const mine = nodes.map((node) => ask(node.visitor, token))
    await eventually(async () => nonEmpty(await table.waiting()))
    await table.release()
    for (const answer of await Promise.all(mine)) {
      expect(answer.title).toBe('new')
      expect(answer.cache).not.toBe('STALE')
    }
    for (const node of nodes) {
      await eventually(async () => expect(await ask(node.visitor)).toEqual({ title: 'new', cache: 'HIT' }))
    }
    expect((await world.statements.since(mark, ROW_READ)).length).toBeLessThanOrEqual(2)
  })

  it('says in one word where an answer came from', async () => {
    const [one, other] = nodes
    expect(await ask(one.visitor)).toEqual({ ...OLD, cache: 'MISS' })
    expect(await ask(one.visitor)).toEqual({ ...OLD, cache: 'HIT' })
    await eventually(async () => nonEmpty(await world.keysInRedis(`1:article.*:${id}`)))
    expect(await ask(other.visitor)).toEqual({ ...OLD, cache: 'HIT' })

    await world.behindTheLog(`update articles set title = 'new' where id = ${id}`)
    const noCache = { 'cache-control': 'no-cache' }
    const bypassing = async (client: GraphQLClient) =>
      (await client.send(TITLE, { id: globalId() }, noCache)).headers.get('x-cache')
    // A visitor can't send every read to the database.
    expect(await bypassing(one.visitor)).toBe('HIT')
    expect(await ask(one.visitor)).toEqual({ ...OLD, cache: 'HIT' })
    expect(await bypassing(one.admin)).toBe('BYPASS')
    // What was read is good for everybody.
    expect(await ask(one.visitor)).toEqual({ title: 'new', cache: 'HIT' })
    // One entry from the database suffices.
    expect((await one.visitor.send(WITH_AUTHOR, { id: globalId() })).headers.get('x-cache')).toBe('MISS')
  })
})

/** Two nodes, for the tests of a `describe`. */
function serveTwo(environment: NodeJS.ProcessEnv = {}): void {
  beforeAll(async () => {
    world = await createServedWorld(postgres)
    nodes = await Promise.all([world.serve('node 1', environment), world.serve('node 2', environment)])
  })

  afterAll(() => world.end())
}

/** How often each node has begun to refresh an article. */
const refreshes = () =>
  Promise.all(nodes.map((node) => node.metric('stet_cache_refreshes_total', { kind: 'article', why: 'stale' })))

/** Has the article invalidated on the first node. Returns the token of the answer. */
async function invalidate(mode: 'HARD' | 'SOFT'): Promise<string | null> {
  const query = `mutation { invalidateCache(tags: ["articles:${id}"], mode: ${mode}) { position } }`
  const { errors, token } = await nodes[0].admin.send(query)
  expect(errors).toEqual([])
  return token
}

const globalId = () => toGlobalId('Article', id)
const TITLE = 'query ($id: ID!) { article(id: $id) { title } }'
const WITH_AUTHOR = 'query ($id: ID!) { article(id: $id) { author { displayName } } }'
const OLD = { title: 'old' }

/** The article's title, or why there is none, and where the answer came from. */
async function ask(viewer: GraphQLClient, token?: string | null) {
  const { data, errors, headers } = await viewer.send<{ article: { title: string } | null }>(
    TITLE,
    { id: globalId() },
    asOf(token),
  )
  const code = errors[0]?.extensions.code
  return { title: data?.article?.title, cache: headers.get('x-cache'), ...(code && { code }) }
}

async function askAuthor(node: ServedNode) {
  const { data, headers } = await node.visitor.send<{ article: { author: { displayName: string } } }>(WITH_AUTHOR, {
    id: globalId(),
  })
  return { author: data.article.author.displayName, cache: headers.get('x-cache') }
}

const nonEmpty = <T>(list: readonly T[]): readonly T[] | false => list.length > 0 && list
