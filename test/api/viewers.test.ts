import { expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { eventually, queryOnce, readMetrics, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode, useRedis } from '../harness/use.ts'

interface Viewer {
  readonly name: string
  readonly kind: 'visitor' | 'author' | 'admin'
  readonly userId: number | undefined
  readonly bearer: string | undefined
}

const AUTHORS = 40

const viewer = async (kind: 'author' | 'admin', userId: number | undefined): Promise<Viewer> => ({
  name: `${kind} ${userId}`,
  kind,
  userId,
  bearer: await testToken(kind, userId),
})

/** Nobody is ever given what was made for somebody else: fifty who ask the same, at once, on two nodes that share Redis. */
const database = await useDatabase()
const shared = { database, redis: useRedis(), environment: { WORKER: 'off' } }
const nodes = [await useNode(shared), await useNode(shared)] as const
await queryOnce(
  database.url,
  `insert into users (username, display_name, email, role)
     select 'u' || n, 'User ' || n, 'u' || n || '@example.com', case when n <= 3 then 'ADMIN' else 'AUTHOR' end
       from generate_series(1, ${AUTHORS}) n;
   insert into tags (slug, name) values ('cats', 'Cats');
   insert into articles (slug, title, body, author_id, status, published_at)
     select kind || '-' || n, kind || ' of ' || n, '', n, upper(kind), case kind when 'published' then now() end
       from generate_series(1, ${AUTHORS}) n, unnest(array['draft', 'published']) kind;
   insert into articles (slug, title, body, author_id, status, published_at)
     values ('toggled', 'Toggled', '', 1, 'PUBLISHED', now());
   insert into article_tags select id, 1 from articles where slug <> 'toggled'`,
)
const viewers: readonly Viewer[] = [
  ...[1, 2, 3, 4].map((n): Viewer => ({ name: `visitor ${n}`, kind: 'visitor', userId: undefined, bearer: undefined })),
  ...(await Promise.all(Array.from({ length: AUTHORS }, (_, index) => viewer('author', index + 1)))),
  ...(await Promise.all([1, 2, 3, undefined, undefined, undefined].map((userId) => viewer('admin', userId)))),
]

interface Answer {
  readonly data: Data
  readonly word: string | null
  readonly control: string | null
  readonly text: string
}

/** Everything that any of the queries below asks for. */
interface Data {
  readonly viewer?: { readonly username: string; readonly email: string } | null
  readonly users?: { readonly nodes: readonly Person[] }
  readonly user?: Person & { readonly articles: List }
  readonly node?: Person
  readonly articles?: List
  readonly article?: { readonly status: string } | null
}
interface Person {
  readonly id: string
  readonly email: string | null
}
interface List {
  readonly totalCount: number
  readonly nodes: readonly { readonly slug: string; readonly status: string; readonly author: Person }[]
}

async function ask(
  who: Viewer,
  query: string,
  { node = nodes[0], method = 'POST' }: { readonly node?: TestNode; readonly method?: string } = {},
): Promise<Answer> {
  const authorization: Record<string, string> =
    who.bearer === undefined ? {} : { authorization: `Bearer ${who.bearer}` }
  const response =
    method === 'GET'
      ? await fetch(`${node.url}/graphql?${new URLSearchParams({ query })}`, { headers: authorization })
      : await fetch(`${node.url}/graphql`, {
          method,
          headers: { ...authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
        })
  const text = await response.text()
  const { data, errors } = JSON.parse(text)
  expect([who.name, query, errors]).toEqual([who.name, query, undefined])
  const { headers } = response
  return { data, word: headers.get('x-cache'), control: headers.get('cache-control'), text }
}

const LISTED = 'totalCount nodes { slug status author { id email } }'
const TOGGLED = '{ article(slug: "toggled") { status } }'
const IMPERSONAL = '{ tags { totalCount nodes { name articleCount } } }'
const QUERIES = [
  '{ viewer { username email } }',
  '{ users(first: 100) { nodes { id email } } }',
  '{ users(first: 100) { nodes { id username } } }',
  `{ user(username: "u5") { id email articles(first: 100) { ${LISTED} } } }`,
  `{ node(id: "${toGlobalId('User', 7)}") { ... on User { id email } } }`,
  `{ articles(first: 100, orderBy: TITLE, filter: { tag: "cats" }) { ${LISTED} } }`,
  `{ articles(first: 100, filter: { status: DRAFT, tag: "cats" }) { ${LISTED} } }`,
  TOGGLED,
  IMPERSONAL,
]

/** Says whatever `answer` shows that this viewer may not see, or doesn't and should. */
function expectOwn(who: Viewer, { data }: Pick<Answer, 'data'>): void {
  const own = who.userId === undefined ? undefined : toGlobalId('User', who.userId)
  const may = (id: string) => who.kind === 'admin' || (who.kind === 'author' && id === own)
  if (data.viewer !== undefined) {
    expect([who.name, data.viewer?.username]).toEqual([who.name, who.userId && `u${who.userId}`])
  }
  const lists = [data.articles, data.user?.articles].filter((list) => list !== undefined)
  const people = [
    ...(data.users?.nodes ?? []),
    data.user,
    data.node,
    ...lists.flatMap(({ nodes }) => nodes.map(({ author }) => author)),
  ]
  for (const person of people) {
    if (person?.email === undefined) continue
    expect([who.name, person.id, person.email !== null]).toEqual([who.name, person.id, may(person.id)])
  }
  for (const { nodes } of lists) {
    const drafts = nodes.filter(({ status }) => status === 'DRAFT').map(({ author }) => author.id)
    expect([who.name, drafts.filter((id) => !may(id))]).toEqual([who.name, []])
  }
  if (data.articles) {
    const drafts = data.articles.nodes.filter(({ slug }) => slug.startsWith('draft-')).length
    expect([who.name, drafts]).toEqual([who.name, who.kind === 'admin' ? AUTHORS : who.kind === 'author' ? 1 : 0])
  }
}

const mayRead = (who: Viewer, userId: number) =>
  who.kind === 'admin' || (who.kind === 'author' && who.userId === userId)

it('gives each of fifty viewers their own answers, by GET and POST, from whatever is kept, while others write', async () => {
  let writing = true
  /** Odd while a write is under way. */
  let writes = 0
  let isPublished = true
  const author = viewers.find(({ name }) => name === 'author 1') as Viewer
  const write = async () => {
    while (writing) {
      writes++
      const mutation = isPublished ? 'unpublishArticle' : 'publishArticle'
      await ask(author, `mutation { ${mutation}(id: "${toggled}") { article { status } } }`)
      isPublished = !isPublished
      writes++
      // Time for some answers to be kept.
      await Promise.all(viewers.slice(0, 6).flatMap((who) => [1, 2, 3].map(() => ask(who, TOGGLED))))
    }
  }
  const toggled = toGlobalId('Article', 2 * AUTHORS + 1)
  const words: Record<string, number> = {}
  let settled = 0
  const read = async (who: Viewer, index: number) => {
    for (let round = 0; round < 3; round++) {
      for (const [at, query] of QUERIES.entries()) {
        const method = (index + at + round) % 2 === 0 ? 'GET' : 'POST'
        const [node = nodes[0]] = query === TOGGLED ? nodes : [nodes[(index + round) % 2]]
        const before = { writes, isPublished }
        const answer = await ask(who, query, { method, node })
        words[String(answer.word)] = (words[String(answer.word)] ?? 0) + 1
        expectOwn(who, answer)
        if (query !== TOGGLED || before.writes !== writes || writes % 2 === 1) continue
        settled++
        const sees = before.isPublished ? 'PUBLISHED' : mayRead(who, 1) ? 'DRAFT' : undefined
        expect([who.name, answer.data.article?.status]).toEqual([who.name, sees])
      }
    }
  }
  const written = write()
  try {
    await Promise.all(viewers.map(read))
  } finally {
    writing = false
    await written
  }
  expect(words.HIT).toBeGreaterThan(viewers.length * QUERIES.length)
  expect(settled).toBeGreaterThan(0)
})

it('never lets those who ask at once share an answer that looked at one of them', async () => {
  for (const query of QUERIES) {
    // Nobody has it, and nobody knows yet whether it will look.
    const fresh = `${query.replace('{', 'query Fresh {')}`
    const answers = await Promise.all(viewers.map((who) => ask(who, fresh)))
    for (const [index, who] of viewers.entries()) expectOwn(who, answers[index] as Answer)
  }
})

it('shares among the signed-in what no resolver looked at them for', async () => {
  const [visitor, ...signedIn] = ['visitor 1', 'author 1', 'author 2', 'author 3', 'admin undefined'].map(byName)
  const query = '{ tags(first: 3) { nodes { slug } } }'
  const [first, second, third] = signedIn as [Viewer, Viewer, Viewer]
  expect((await ask(first, query)).control).toMatch('private')
  expect(await ask(second, query)).toMatchObject({ control: expect.stringMatching('public') })
  expect(await ask(third, query)).toMatchObject({ word: 'HIT', control: expect.stringMatching('public') })
  expect((await ask(visitor as Viewer, query)).data).toEqual((await ask(third, query)).data)
})

it('stops sharing where an answer begins to look at whoever asks', async () => {
  // Whoever sees a draft asks first: nobody has learnt by then that it will look.
  const everybody = ['author 2', 'author 1', 'admin 1', 'author 3', 'admin undefined', 'visitor 1'].map(byName)
  const query = '{ article(slug: "later") { title status } }'
  const seen = async () => {
    const all: Record<string, unknown> = {}
    for (const who of [...everybody, ...everybody].flatMap((who) => [who, who])) {
      for (const method of ['GET', 'POST']) {
        const { article } = (await ask(who, query, { method })).data
        expect([who.name, all[who.name] ?? article?.status]).toEqual([who.name, article?.status])
        all[who.name] = article?.status
      }
    }
    return all
  }
  const by = (visitor: unknown, itsAuthor: unknown, others: unknown, admins: unknown) => ({
    'visitor 1': visitor,
    'author 1': others,
    'author 2': itsAuthor,
    'author 3': others,
    'admin 1': admins,
    'admin undefined': admins,
  })
  const author = byName('author 2')
  // There is nothing: nobody need be looked at, and all who are signed in share that.
  expect(await seen()).toEqual(by(undefined, undefined, undefined, undefined))
  expect(await ask(byName('author 3'), query)).toMatchObject({ word: 'HIT', control: expect.stringMatching('public') })

  const create = 'createArticle(input: { title: "Later", slug: "later", body: "" }) { article { id } }'
  const { data } = (await ask(author, `mutation { ${create} }`)) as unknown as {
    readonly data: { readonly createArticle: { readonly article: { readonly id: string } } }
  }
  const { id } = data.createArticle.article
  const change = (mutation: string) => ask(author, `mutation { ${mutation}(id: "${id}") { article { id } } }`)
  const [isDraft, isPublished] = [
    by(undefined, 'DRAFT', undefined, 'DRAFT'),
    by('PUBLISHED', 'PUBLISHED', 'PUBLISHED', 'PUBLISHED'),
  ]
  expect(await seen()).toEqual(isDraft)
  await change('publishArticle')
  expect(await seen()).toEqual(isPublished)
  await change('unpublishArticle')
  expect(await seen()).toEqual(isDraft)
  await ask(author, `mutation { deleteArticle(id: "${id}") { deletedId } }`)
  expect(await seen()).toEqual(by(undefined, undefined, undefined, undefined))
})

it('refreshes an answer in the background for whoever it was kept for', async () => {
  const refreshes = async () => {
    const metrics = await readMetrics(nodes[0].url)
    return Number(/^stet_cache_refreshes_total\{kind="response",why="stale"\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
  }
  const few = ['visitor 1', 'author 5', 'author 7', 'admin undefined'].map(byName)
  const before = await refreshes()
  const words = new Set<string | null>()
  for (const query of QUERIES.filter((query) => query !== TOGGLED)) {
    for (const who of few) await ask(who, query)
    const tags = '["articles", "users", "tags"]'
    await ask(byName('admin undefined'), `mutation { invalidateCache(tags: ${tags}, mode: SOFT) { position } }`)
    for (const _round of [1, 2, 3]) {
      const answers = await Promise.all(few.map((who) => ask(who, query)))
      for (const [index, who] of few.entries()) {
        words.add(answers[index]?.word ?? null)
        expectOwn(who, answers[index] as Answer)
      }
    }
    await eventually(async () => (await ask(few[1] as Viewer, query)).word === 'HIT')
    for (const who of few) expectOwn(who, await ask(who, query))
  }
  expect(words).toContain('STALE')
  expect(await refreshes()).toBeGreaterThan(before)
})

function byName(wanted: string): Viewer {
  const found = viewers.find(({ name }) => name === wanted)
  if (!found) throw new Error(`There is no ${wanted}.`)
  return found
}
