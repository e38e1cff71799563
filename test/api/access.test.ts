import { beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { GraphQLClient, queryOnce, testToken } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'
import { ANN, addContent, BOB, ids } from './add-content.ts'

type Who = 'visitor' | 'ann' | 'bob' | 'admin' | 'deleted'

const database = await useDatabase()
const node = await useNode({ database, redis: useRedis() })
const as: Record<Who, GraphQLClient> = {
  visitor: node.visitor,
  ann: await node.author(ANN),
  bob: await node.author(BOB),
  admin: node.admin,
  deleted: await node.author(99),
}

beforeEach(async () => {
  await sql('truncate users, tags, articles, article_tags, article_stats restart identity cascade')
  await addContent(database.url)
  await node.catchUp()
})

/** Every door to an article, as the slugs that come through it. */
const DOORS: Record<string, string> = {
  'article by id': `x: article(id: "${ids.annsDraft}") { slug } y: article(id: "${ids.bobsDraft}") { slug }`,
  'article by slug': 'x: article(slug: "anns-draft") { slug } y: article(slug: "bobs-draft") { slug }',
  node: `x: node(id: "${ids.annsDraft}") { ... on Article { slug } } y: node(id: "${ids.bobsDraft}") { ... on Article { slug } }`,
  nodes: `nodes(ids: ["${ids.annsDraft}", "${ids.bobsDraft}", "${ids.published}"]) { ... on Article { slug } }`,
  articles: 'articles { nodes { slug } }',
  'articles by title': 'articles(orderBy: TITLE) { edges { node { slug } } }',
  'most viewed': 'articles(orderBy: MOST_VIEWED) { nodes { slug } }',
  drafts: 'articles(filter: { status: DRAFT }) { nodes { slug } }',
  'drafts of ann': 'articles(filter: { status: DRAFT, author: "ann" }) { nodes { slug } }',
  'articles of ann': 'articles(filter: { author: "ann" }) { nodes { slug } }',
  'articles of bob': 'articles(filter: { author: "bob" }) { nodes { slug } }',
  'articles of the tag': 'articles(filter: { tag: "cats" }) { nodes { slug } }',
  search: 'articles(filter: { search: "secretive" }) { nodes { slug } }',
  'search among drafts': 'articles(filter: { search: "secretive", status: DRAFT }) { nodes { slug } }',
  'before a date': 'articles(filter: { publishedBefore: "2030-01-01T00:00:00Z" }) { nodes { slug } }',
  'tag.articles': 'tag(slug: "cats") { articles { nodes { slug } } }',
  'user.articles':
    'a: user(username: "ann") { articles { nodes { slug } } } b: user(username: "bob") { articles { nodes { slug } } }',
}

const MAY_SEE: Record<Exclude<Who, 'deleted'>, (slug: string) => boolean> = {
  visitor: (slug) => !slug.includes('draft'),
  ann: (slug) => slug !== 'bobs-draft',
  bob: (slug) => slug !== 'anns-draft',
  admin: () => true,
}

it.each(Object.keys(DOORS))('shows drafts to their authors and admins only: %s', async (door) => {
  const seen = async (who: Who) => {
    const text = JSON.stringify(await as[who].get(`{ ${DOORS[door]} }`))
    return [...text.matchAll(/"slug":"([^"]+)"/g)].map(([, slug]) => String(slug))
  }
  const everything = await seen('admin')
  expect(await as.deleted.send(`{ ${DOORS[door]} }`)).toMatchObject({ status: 401, data: undefined })
  // Twice, in both directions: what one viewer's answer left in the cache must not become another's.
  const viewers = ['visitor', 'ann', 'bob', 'admin', 'bob', 'ann', 'visitor'] as const
  for (const who of viewers) {
    expect([who, await seen(who)]).toEqual([who, everything.filter(MAY_SEE[who])])
    // And once more from Redis.
    await node.flush()
    node.cache.clearMemory()
    expect([who, await seen(who)]).toEqual([who, everything.filter(MAY_SEE[who])])
  }
})

it('counts for each viewer what they may see', async () => {
  const counts = async (who: Who) => {
    const { all, drafts, found, tag, user } = await as[who].get<Record<string, { totalCount: number }>>(`{
      all: articles { totalCount } drafts: articles(filter: { status: DRAFT }) { totalCount }
      found: articles(filter: { search: "secretive" }) { totalCount }
      tag(slug: "cats") { articleCount articles { totalCount } } user(username: "ann") { articles { totalCount } }
    }`)
    return [all?.totalCount, drafts?.totalCount, found?.totalCount, tag, user]
  }
  const expected = (all: number, drafts: number, anns: number) => [
    all,
    drafts,
    all,
    { articleCount: 2, articles: { totalCount: all } },
    { articles: { totalCount: anns } },
  ]
  expect(await counts('visitor')).toEqual(expected(2, 0, 1))
  expect(await counts('ann')).toEqual(expected(3, 1, 2))
  expect(await counts('bob')).toEqual(expected(3, 1, 1))
  expect(await counts('admin')).toEqual(expected(4, 2, 2))
})

it('hides an article the moment it is a draft again', async () => {
  const read = async () => {
    const { article } = await as.visitor.get('{ article(slug: "published") { slug } }')
    return article
  }
  expect(await read()).toEqual({ slug: 'published' })
  await as.ann.get(`mutation { unpublishArticle(id: "${ids.published}") { article { status } } }`)
  expect(await read()).toBeNull()
})

it('tells an e-mail address to the user and to admins only', async () => {
  const emails = async (who: Who) => {
    const { a, b, users, articles } = await as[who].get<{
      a: { email: string | null }
      b: { email: string | null }
      users: { nodes: { email: string | null }[] }
      articles: { nodes: { author: { email: string | null } }[] }
    }>(`{
      a: user(username: "ann") { email } b: node(id: "${ids.bob}") { ... on User { email } }
      users { nodes { email } } articles(filter: { status: PUBLISHED }) { nodes { author { email } } }
    }`)
    const [bobsAuthor, annsAuthor] = articles.nodes.map(({ author }) => author.email)
    expect(users.nodes.map(({ email }) => email)).toEqual([a.email, b.email])
    expect([annsAuthor, bobsAuthor]).toEqual([a.email, b.email])
    return [a.email, b.email]
  }
  expect(await emails('admin')).toEqual(['ann@example.com', 'bob@example.com'])
  expect(await emails('visitor')).toEqual([null, null])
  expect(await emails('ann')).toEqual(['ann@example.com', null])
  expect(await emails('bob')).toEqual([null, 'bob@example.com'])
})

it('knows who is asking', async () => {
  const viewer = async (client: GraphQLClient) => (await client.get('{ viewer { username email } }')).viewer
  expect(await viewer(as.ann)).toEqual({ username: 'ann', email: 'ann@example.com' })
  expect(await viewer(as.visitor)).toBeNull()
  expect(await viewer(as.admin)).toBeNull()
  expect(await as.deleted.send('{ viewer { username } }')).toMatchObject({ status: 401, data: undefined })
  expect(await viewer(new GraphQLClient(node.url, await testToken('admin', BOB)))).toMatchObject({ username: 'bob' })
})

const create = (more: string) => `createArticle(input: { title: "New", body: "", ${more} }) { article { id } }`
const UNAUTHENTICATED = 'UNAUTHENTICATED'
const FORBIDDEN = 'FORBIDDEN'
const NOT_FOUND = 'NOT_FOUND'

/** What each mutation says to each viewer; undefined where it is done. */
const RIGHTS: [mutation: string, Record<Who, string | undefined>][] = [
  ...[
    `updateArticle(input: { id: "${ids.published}", title: "Mine" }) { article { id } }`,
    `publishArticle(id: "${ids.published}") { article { id } }`,
    `unpublishArticle(id: "${ids.published}") { article { id } }`,
    `setArticleTags(id: "${ids.published}", tags: []) { article { id } }`,
    `deleteArticle(id: "${ids.published}") { deletedId }`,
  ].map((mutation): [string, Record<Who, string | undefined>] => [
    mutation,
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: FORBIDDEN, ann: undefined, admin: undefined },
  ]),
  ...[
    `updateArticle(input: { id: "${ids.annsDraft}", title: "Mine", expectedVersion: 7 }) { article { id } }`,
    `publishArticle(id: "${ids.annsDraft}") { article { id } }`,
    `unpublishArticle(id: "${ids.annsDraft}") { article { id } }`,
    `setArticleTags(id: "${ids.annsDraft}", tags: ["none"]) { article { id } }`,
    `deleteArticle(id: "${ids.annsDraft}") { deletedId }`,
  ].map((mutation): [string, Record<Who, string | undefined>] => {
    const wrong = mutation.includes('expectedVersion')
      ? 'VERSION_CONFLICT'
      : mutation.includes('none')
        ? 'BAD_USER_INPUT'
        : undefined
    // Whoever may not see a draft doesn't learn that it exists.
    return [mutation, { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: NOT_FOUND, ann: wrong, admin: wrong }]
  }),
  [
    create(''),
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: undefined, ann: undefined, admin: 'BAD_USER_INPUT' },
  ],
  [
    create(`authorId: "${ids.bob}"`),
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: undefined, ann: FORBIDDEN, admin: undefined },
  ],
  [
    create(`authorId: "${toGlobalId('User', 99)}"`),
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: FORBIDDEN, ann: FORBIDDEN, admin: 'BAD_USER_INPUT' },
  ],
  ...[
    'createTag(input: { name: "New" }) { tag { id } }',
    `updateTag(input: { id: "${ids.cats}", name: "New" }) { tag { id } }`,
    `deleteTag(id: "${ids.cats}") { deletedId }`,
    'createUser(input: { username: "new", displayName: "New", email: "new@example.com", role: ADMIN }) { user { id } }',
    `updateUser(input: { id: "${ids.bob}", role: ADMIN }) { user { id } }`,
    `updateUser(input: { id: "${ids.ann}", role: ADMIN, bio: "x" }) { user { id } }`,
  ].map((mutation): [string, Record<Who, string | undefined>] => [
    mutation,
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: FORBIDDEN, ann: FORBIDDEN, admin: undefined },
  ]),
  [
    `deleteUser(id: "${ids.ann}") { deletedId }`,
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: FORBIDDEN, ann: FORBIDDEN, admin: 'USER_HAS_ARTICLES' },
  ],
  [
    `updateUser(input: { id: "${ids.ann}", bio: "Writes." }) { user { bio } }`,
    { visitor: UNAUTHENTICATED, deleted: UNAUTHENTICATED, bob: FORBIDDEN, ann: undefined, admin: undefined },
  ],
]

it.each(RIGHTS)('lets only those who may: %s', async (mutation, expected) => {
  const before = await content()
  const refused = (['visitor', 'deleted', 'bob', 'ann', 'admin'] as const).filter((who) => expected[who] !== undefined)
  for (const who of refused) {
    const { errors, data } = await as[who].send<object | null>(`mutation { ${mutation} }`)
    expect([who, errors.map(({ extensions }) => extensions.code)]).toEqual([who, [expected[who]]])
    expect(Object.values(data ?? {})).toEqual(who === 'deleted' ? [] : [null])
  }
  expect(await content()).toEqual(before)
  const allowed = (['ann', 'bob', 'admin'] as const).find((who) => expected[who] === undefined)
  if (allowed === undefined) return
  await as[allowed].get(`mutation { ${mutation} }`)
  if (!isDoneAlready(mutation)) expect(await content()).not.toEqual(before)
})

const isDoneAlready = (mutation: string) =>
  [`publishArticle(id: "${ids.published}`, `unpublishArticle(id: "${ids.annsDraft}`].some((start) =>
    mutation.startsWith(start),
  )

async function content(): Promise<unknown> {
  const [row] = await sql(`select jsonb_build_array(
    (select jsonb_agg(to_jsonb(users) order by id) from users), (select jsonb_agg(to_jsonb(tags) order by id) from tags),
    (select jsonb_agg(to_jsonb(articles) order by id) from articles),
    (select jsonb_agg(to_jsonb(article_tags) order by article_id, tag_id) from article_tags)) as content`)
  return row?.content
}

const sql = (text: string) => queryOnce(database.url, text)
