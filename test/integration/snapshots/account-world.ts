import type pg from 'pg'
import { toGlobalId } from '../../../src/identity/global-id.ts'
import type { Random } from '../../../src/kernel/random.ts'
import type { GraphQLClient, TestNode, TestNodeOptions } from '../../harness/index.ts'
import { createArticleWorld } from '../races/article-world.ts'

/** Ten articles, each with an amount for a title, of one of two authors, and with one of two tags. Whatever moves, the sums stay. */
export interface AccountWorld {
  startNode(options?: Partial<TestNodeOptions>): Promise<TestNode>
  /** Moves an amount, an author's article or a tag: in a transaction of SQL, or by a mutation. */
  move(random: Random, admins: readonly GraphQLClient[]): Promise<void>
  end(): Promise<void>
}

export async function createAccountWorld(): Promise<AccountWorld> {
  const world = await createArticleWorld()
  await world.sql(`insert into users (username, display_name, email) values ('bob', 'Bob', 'bob@example.com')`)
  await world.sql(`insert into tags (slug, name) values ('x', 'X'), ('y', 'Y')`)
  await world.sql(`delete from articles`)
  await world.sql(
    `insert into articles (id, slug, title, body, status, author_id, published_at) overriding system value
       select n, 'account-' || n, '100', 'Body', 'PUBLISHED', 1 + n % 2, now() from generate_series(1, ${ACCOUNTS}) n`,
  )
  await world.sql(`insert into article_tags (article_id, tag_id) select id, 1 + id % 2 from articles`)
  const writers = await Promise.all([world.connect(), world.connect(), world.connect()])
  return {
    startNode: (options) =>
      world.startNode({ ...options, environment: { LOG_BEAT_MS: '50', ...options?.environment } }),
    move: (random, admins) => move(random, writers[random.below(writers.length)] as pg.Client, admins),
    end: () => world.end(),
  }
}

async function move(random: Random, writer: pg.Client, admins: readonly GraphQLClient[]): Promise<void> {
  const id = 1 + random.below(ACCOUNTS)
  switch (random.below(4)) {
    case 0: {
      const other = 1 + ((id + random.below(ACCOUNTS - 1)) % ACCOUNTS)
      // Always the smaller id first, so that two of them never wait for each other.
      const [first, second] = [Math.min(id, other), Math.max(id, other)]
      const amount = random.below(20) - 10
      const add = (amount: number, id: number) =>
        `update articles set title = (title::int + ${amount})::text where id = ${id};`
      await writer.query(`begin; ${add(amount, first)} ${add(-amount, second)} commit`)
      break
    }
    case 1:
      await writer.query(`update articles set author_id = 3 - author_id where id = ${id}`)
      break
    case 2:
      await writer.query(
        `begin; select from articles where id = ${id} for update;
         with old as (delete from article_tags where article_id = ${id} returning tag_id) select from old;
         insert into article_tags values (${id}, 1 + ${random.below(2)}); commit`,
      )
      break
    default: {
      const admin = admins[random.below(admins.length)] as GraphQLClient
      const tag = random.below(2) === 0 ? 'x' : 'y'
      const shown = await admin.get<{ setArticleTags: { article: { tags: { slug: string }[] } } }>(
        `mutation { setArticleTags(id: "${toGlobalId('Article', id)}", tags: ["${tag}"]) { article { tags { slug } } } }`,
      )
      if (shown.setArticleTags.article.tags.length !== 1) throw new Error(`A payload showed ${JSON.stringify(shown)}.`)
    }
  }
}

const ACCOUNTS = 10

/** Asks for parts of it in a random order, so that not every answer is in the cache as a whole. Says what is wrong with the answer. */
export async function ask(random: Random, client: GraphQLClient, headers?: Record<string, string>): Promise<Asked> {
  const parts = [AMOUNTS, AUTHORS, TAGS].filter(() => random.below(2) === 0)
  if (parts.length === 0) parts.push(random.below(2) === 0 ? AMOUNTS : AUTHORS)
  if (random.below(2) === 0) parts.reverse()
  const query = `query q${random.below(50)} { ${parts.join(' ')} }`
  const { data, errors } = await client.send<Shown>(query, {}, headers)
  return { errors: errors.map(({ message }) => message), wrong: errors.length > 0 ? undefined : whatIsWrong(data) }
}

interface Asked {
  readonly errors: readonly string[]
  readonly wrong: string | undefined
}

const AMOUNTS = Array.from(
  { length: ACCOUNTS },
  (_, index) =>
    `account${index}: article(id: "${toGlobalId('Article', index + 1)}") { id title author { username } tags { slug } }`,
).join(' ')
const AUTHORS = ['ada', 'bob']
  .map((name) => `${name}: user(username: "${name}") { articles { totalCount nodes { id author { username } } } }`)
  .join(' ')
const TAGS = ['x', 'y']
  .map(
    (slug) =>
      `${slug}: tag(slug: "${slug}") { articleCount articles(orderBy: TITLE) { nodes { id title tags { slug } } } }`,
  )
  .join(' ')

interface ShownArticle {
  readonly id: string
  readonly title?: string
  readonly author?: { readonly username: string }
  readonly tags?: readonly { readonly slug: string }[]
}

interface ShownList {
  readonly articleCount?: number
  readonly articles: { readonly totalCount?: number; readonly nodes: readonly ShownArticle[] }
}

type Shown = Readonly<Record<string, ShownArticle & ShownList>>

/** What an answer shows that was never there at once. */
function whatIsWrong(shown: Shown): string | undefined {
  const accounts = Object.entries(shown).flatMap(([name, account]) => (name.startsWith('account') ? [account] : []))
  const lists = [
    { names: ['ada', 'bob'], nameOf: ({ author }: ShownArticle) => author?.username },
    { names: ['x', 'y'], nameOf: ({ tags }: ShownArticle) => tags?.map(({ slug }) => slug).join() },
  ]
  if (accounts.length > 0 && sumOf(accounts) !== 100 * ACCOUNTS) return `The amounts are ${sumOf(accounts)} in all.`
  for (const { names, nameOf } of lists) {
    const nodes = names.flatMap((name) => shown[name]?.articles.nodes ?? [])
    if (nodes.length === 0) continue
    if (new Set(nodes.map(({ id }) => id)).size !== ACCOUNTS || nodes.length !== ACCOUNTS) {
      return `${names} have ${nodes.map(({ id }) => id)}.`
    }
    if (nodes[0]?.title !== undefined && sumOf(nodes) !== 100 * ACCOUNTS)
      return `The amounts in lists are ${sumOf(nodes)}.`
    for (const name of names) {
      const { articles, articleCount } = shown[name] as ShownList
      const count = articles.totalCount ?? articleCount
      if (count !== articles.nodes.length) return `${name} has ${count} articles, and these: ${articles.nodes.length}.`
      for (const article of [
        ...articles.nodes,
        ...accounts.filter((account) => articles.nodes.some(({ id }) => id === account.id)),
      ]) {
        if (nameOf(article) !== undefined && nameOf(article) !== name)
          return `${name} has an article of ${nameOf(article)}.`
      }
    }
  }
  return undefined
}

const sumOf = (articles: readonly ShownArticle[]): number => articles.reduce((sum, { title }) => sum + Number(title), 0)
