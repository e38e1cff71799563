import { expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { type GraphQLClient, queryOnce, readMetrics } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'

/** Every list there is a reason to keep apart, and who asks for it. */
const LISTS = {
  newest: ['visitor', 'articles(first: 10)'],
  byAnn: ['visitor', 'articles(filter: { author: "ann" })'],
  byBob: ['visitor', 'articles(filter: { author: "bob" })'],
  tagged: ['visitor', 'articles(filter: { tag: "cats" })'],
  taggedOther: ['visitor', 'articles(filter: { tag: "dogs" })'],
  taggedNothing: ['visitor', 'articles(filter: { tag: "newts" })'],
  byTitle: ['visitor', 'articles(orderBy: TITLE)'],
  mostViewed: ['visitor', 'articles(orderBy: MOST_VIEWED)'],
  found: ['visitor', 'articles(filter: { search: "fox" })'],
  asAnnSees: ['ann', 'articles(first: 10)'],
  everything: ['admin', 'articles(first: 10)'],
  drafts: ['admin', 'articles(filter: { status: DRAFT })'],
} as const

type ListName = keyof typeof LISTS

const database = await useDatabase()
const sql = (text: string) => queryOnce(database.url, text)
const node = await useNode({ database })
const clients: Record<'visitor' | 'ann' | 'admin', GraphQLClient> = {
  visitor: node.visitor,
  ann: await node.author(1),
  admin: node.admin,
}
await sql(`
  insert into users (username, display_name, email) values ('ann', 'Ann', 'ann@example.com'), ('bob', 'Bob', 'bob@example.com');
  insert into tags (slug, name) values ('cats', 'Cats'), ('dogs', 'Dogs'), ('newts', 'Newts');
  insert into articles (slug, title, body, author_id, status, published_at)
    values ('first', 'First', 'a fox', 1, 'PUBLISHED', now()), ('second', 'Second', 'a hen', 2, 'PUBLISHED', now());
  insert into article_tags values (1, 1), (2, 2)`)
await node.catchUp()

/** The article that the tests below lead through its life, in order. */
const id = toGlobalId('Article', 3)

it('a new draft changes what its author and admins see', async () => {
  await expectToFall(['byAnn', 'tagged', 'asAnnSees', 'everything', 'drafts', 'mostViewed'], async () => {
    await clients.ann.get(
      'mutation { createArticle(input: { title: "Third", body: "a fox", tags: ["cats"] }) { article { id } } }',
    )
  })
  expect((await read('newest')).totalCount).toBe(2)
  expect((await read('asAnnSees')).totalCount).toBe(3)
})

it('publishing changes every list that shows the article, of its tag and its author too', async () => {
  const shows = [
    'newest',
    'byAnn',
    'tagged',
    'byTitle',
    'mostViewed',
    'found',
    'asAnnSees',
    'everything',
    'drafts',
  ] as const
  await expectToFall(shows, () => clients.ann.get(`mutation { publishArticle(id: "${id}") { article { id } } }`))
  expect((await read('tagged')).totalCount).toBe(2)
  expect((await read('drafts')).totalCount).toBe(0)
})

it('retagging changes the lists of the tags it lost and got, the empty one among them', async () => {
  await expectToFall(['tagged', 'taggedNothing'], () =>
    clients.ann.get(`mutation { setArticleTags(id: "${id}", tags: ["newts"]) { article { id } } }`),
  )
  expect((await read('taggedNothing')).nodes.map(({ title }) => title)).toEqual(['Third'])
})

it('a new title changes the lists in the order of titles, and what is found', async () => {
  await expectToFall(['byTitle', 'found'], () =>
    clients.ann.get(`mutation { updateArticle(input: { id: "${id}", title: "A fox" }) { article { id } } }`),
  )
  expect((await read('byTitle')).nodes.map(({ title }) => title)).toEqual(['A fox', 'First', 'Second'])
  expect((await read('newest')).nodes.map(({ title }) => title)).toEqual(['A fox', 'Second', 'First'])
})

it('views change no list, and the order made of them the most viewed alone', async () => {
  await expectToFall([], () => sql('update article_stats set views = 10 where article_id = 2'))
  await expectToFall(['mostViewed'], () => sql('update article_stats set ranked_views = views'))
  expect((await read('mostViewed')).nodes.at(0)?.title).toBe('Second')
})

it('moving to another author changes the lists of both', async () => {
  const shows = ['newest', 'byAnn', 'byBob', 'byTitle', 'mostViewed', 'found', 'asAnnSees', 'everything'] as const
  await expectToFall(shows, () => sql('update articles set author_id = 2 where id = 3'))
  expect((await read('byBob')).totalCount).toBe(2)
  expect((await read('byAnn')).totalCount).toBe(1)
})

it('renaming a user or a tag changes no list of articles, and their new name is under the cached articles', async () => {
  const names = '{ articles(first: 10) { nodes { author { displayName } tags { name } } } }'
  await clients.visitor.get(names)
  const before = await loads()
  await expectToFall([], async () => {
    await clients.admin.get(
      `mutation { updateUser(input: { id: "${toGlobalId('User', 2)}", displayName: "Robert" }) { user { id } } }`,
    )
    await clients.admin.get(
      `mutation { updateTag(input: { id: "${toGlobalId('Tag', 2)}", name: "Hounds" }) { tag { id } } }`,
    )
  })
  const { articles } = await clients.visitor.get<{ articles: { nodes: { author: object; tags: object[] }[] } }>(names)
  expect(articles.nodes).toContainEqual({ author: { displayName: 'Robert' }, tags: [{ name: 'Hounds' }] })
  expect((await loads()).article).toBe(before.article)
})

it('deleting changes every list that showed the article', async () => {
  const shows = [
    'newest',
    'byBob',
    'taggedNothing',
    'byTitle',
    'mostViewed',
    'found',
    'asAnnSees',
    'everything',
  ] as const
  await expectToFall(shows, () => clients.admin.get(`mutation { deleteArticle(id: "${id}") { deletedId } }`))
  expect((await read('taggedNothing')).totalCount).toBe(0)
  expect((await read('newest')).totalCount).toBe(2)
})

it('a statement over 1,000 rows changes every list', async () => {
  await expectToFall(Object.keys(LISTS) as ListName[], () =>
    sql(
      `insert into articles (slug, title, body, author_id) select 'bulk-' || n, 'Bulk', '', 1 from generate_series(1, 1001) n`,
    ),
  )
  expect((await read('drafts')).totalCount).toBe(1001)
})

/** Asserts that `write` makes these lists fall, and leaves all others standing. */
async function expectToFall(expected: readonly ListName[], write: () => Promise<unknown>): Promise<void> {
  const names = Object.keys(LISTS) as ListName[]
  for (const name of names) await read(name)
  await write()
  await node.catchUp()
  const fallen: ListName[] = []
  for (const name of names) {
    const before = await loads()
    await read(name)
    const after = await loads()
    if (KINDS.some((kind) => after[kind] !== before[kind])) fallen.push(name)
  }
  expect(fallen.sort()).toEqual([...expected].sort())
}

const KINDS = ['article-list', 'article-count', 'article-search-list', 'article-search-count']

interface List {
  readonly totalCount: number
  readonly nodes: { readonly title: string }[]
}

async function read(name: ListName): Promise<List> {
  const [who, field] = LISTS[name]
  const data = await clients[who].get<{ list: List }>(`{ list: ${field} { totalCount nodes { title } } }`)
  return data.list
}

/** How many loads there have been of each kind of entry. */
async function loads(): Promise<Record<string, number>> {
  const metrics = await readMetrics(node.url)
  const lines = metrics.matchAll(/^stet_cache_load_seconds_count\{kind="([^"]+)"\} (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, kind, count]) => [kind, Number(count)]))
}
