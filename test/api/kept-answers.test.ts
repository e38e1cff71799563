import { expect, it } from '@jest/globals'
import {
  eventually,
  type GraphQLClient,
  queryOnce,
  sharedServers,
  startFaultProxy,
  startTestNode,
} from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

/** What is kept whole, and what never is. */
const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await node.catchUp()

/** Whether the last of three answers is the one before. Only those have an entity tag. */
async function isKept(client: GraphQLClient, query: string): Promise<boolean> {
  // The first of all is only made: an answer is kept from the second time on that it is asked for.
  await client.send(query)
  const first = await client.send(query)
  const second = await client.send(query)
  const status = String(second.headers.get('cache-status'))
  const kept = /; hit; ttl=/.test(status)
  expect([query, second.headers.has('etag')]).toEqual([query, kept])
  if (!kept)
    expect([first, second].map(({ headers }) => headers.get('cache-control'))).toEqual(
      Array(2).fill('private, no-store'),
    )
  return kept
}

it('keeps whatever all of its fields say may be kept', async () => {
  for (const query of [
    '{ articles { totalCount pageInfo { hasNextPage } edges { cursor node { title tags { name } author { username } } } } }',
    `{ article(id: "${ids.published}") { bodyHtml viewCount tags { articleCount } } }`,
    `{ node(id: "${ids.ann}") { ... on User { email articles { nodes { title } } } } }`,
    `{ nodes(ids: ["${ids.ann}", "${ids.cats}"]) { id } }`,
    '{ viewer { username email } }',
    '{ user(username: "nobody") { id } }',
    '{ __typename }',
    '{ __schema { queryType { name } } }',
  ]) {
    expect([query, await isKept(node.visitor, query)]).toEqual([query, true])
    expect([query, await isKept(await node.author(ANN), query)]).toEqual([query, true])
  }
})

it('keeps no error, and nothing that holds one', async () => {
  for (const query of [
    '{',
    '{ nonsense }',
    '{ article { id } }',
    '{ tags { totalCount } article(slug: "published", id: "x") { id } }',
    `{ nodes(ids: ["${ids.cats}", "garbage"]) { id } }`,
    '{ articles(first: 0) { totalCount } }',
    'query ($n: Int!) { tags(first: $n) { totalCount } }',
    'query A { tags { totalCount } } query B { users { totalCount } }',
  ]) {
    expect([query, await isKept(node.visitor, query)]).toEqual([query, false])
  }
})

it('makes every mutation anew', async () => {
  for (const [n, title] of ['first', 'second', 'first'].entries()) {
    const query = `mutation { updateArticle(input: { id: "${ids.bobsPublished}", title: "${title}" }) { article { title version } } }`
    const { data, headers } = await node.admin.send(query)
    expect(data).toEqual({ updateArticle: { article: { title, version: 2 + n } } })
    expect(headers.has('etag')).toBe(false)
  }
  const token = await node.admin.send(`mutation { recordView(articleId: "${ids.published}") }`)
  expect([token.data, token.headers.get('cache-control')]).toEqual([{ recordView: true }, 'private, no-store'])
})

it('keeps nothing that could not be made in full, and what could be again as soon as it can', async () => {
  const query = '{ article(slug: "published") { slug viewCount } }'
  await sql('alter table article_stats rename to gone')
  try {
    await sql(`select stet.touch('article_stats')`)
    await node.catchUp()
    expect(await isKept(node.visitor, query)).toBe(false)
  } finally {
    await sql('alter table gone rename to article_stats')
  }
  expect(await isKept(node.visitor, query)).toBe(true)
})

it('keeps nothing that was made of stale parts', async () => {
  await node.visitor.get('{ tags { nodes { id name } } }')
  await node.admin.get('mutation { invalidateCache(tags: ["tags"], mode: SOFT) { position } }')
  const made = await node.visitor.send('{ tags { nodes { id slug name } } }')
  expect([made.headers.get('x-cache'), made.headers.has('etag')]).toEqual(['STALE', false])
  await eventually(() => isKept(node.visitor, '{ tags { nodes { id slug name } } }'))
})

it('drops an answer with whatever went into it, and with all answers', async () => {
  const query = '{ article(slug: "published") { title author { displayName } tags { name } } }'
  const { admin } = node
  for (const mutation of [
    `updateUser(input: { id: "${ids.ann}", displayName: "Ann again" }) { user { id } }`,
    `updateTag(input: { id: "${ids.cats}", name: "Lions" }) { tag { id } }`,
    `setArticleTags(id: "${ids.published}", tags: ["dogs"]) { article { id } }`,
    `updateArticle(input: { id: "${ids.published}", title: "Again" }) { article { id } }`,
    'invalidateCache(tags: ["articles:1"]) { position }',
  ]) {
    expect([mutation, await isKept(node.visitor, query)]).toEqual([mutation, true])
    await admin.get(`mutation { ${mutation} }`)
    const { headers } = await node.visitor.send(query)
    expect([mutation, headers.get('cache-status')]).toEqual([mutation, expect.not.stringMatching(/ttl=/)])
  }
  expect(await isKept(node.visitor, query)).toBe(true)
  await sql(`select stet.touch('responses')`)
  await node.catchUp()
  expect((await node.visitor.send(query)).headers.get('cache-status')).toBe('stet; hit; detail=entries; stored')
})

it('keeps nothing while the log is silent, and lets nobody else keep anything', async () => {
  const { hostname, port } = new URL(sharedServers().postgresUrl)
  const proxy = await startFaultProxy({ host: hostname, port: Number(port || 5432) })
  const remote = await startTestNode({ databaseUrl: proxy.through(database.url) })
  const { visitor } = remote
  const [whole, parts] = ['{ tags { nodes { name slug } } }', '{ tags { nodes { slug name } } }']
  try {
    expect(await isKept(visitor, whole)).toBe(true)
    expect((await visitor.send(whole)).headers.get('cache-control')).toMatch('public')
    await proxy.stall()
    await eventually(async () => (await visitor.send(whole)).headers.get('x-cache') === 'STALE')
    expect((await visitor.send(whole)).headers.get('cache-control')).toBe('private, no-store')
    for (const _again of [1, 2]) {
      const made = await visitor.send(parts)
      expect([made.headers.get('x-cache'), made.headers.has('etag')]).toEqual(['STALE', false])
    }
    await proxy.restore()
    await eventually(async () => (await visitor.send(whole)).headers.get('x-cache') === 'HIT')
    expect((await visitor.send(whole)).headers.get('cache-control')).toMatch('public')
    // What wasn't kept is left alone for a moment.
    await eventually(() => isKept(visitor, parts))
  } finally {
    await proxy.restore()
    await remote.close()
    await proxy.close()
  }
})

it('keeps no whole answer where it is told not to', async () => {
  const without = await startTestNode({ databaseUrl: database.url, environment: { CACHE_RESPONSES: 'off' } })
  try {
    expect(await isKept(without.visitor, '{ tags { totalCount } }')).toBe(false)
  } finally {
    await without.close()
  }
})

const sql = (text: string) => queryOnce(database.url, text)
