import type { Dice } from '../../integration/oracle/dice.ts'
import type { Observation, Selection, Table, Viewer } from '../history/history.ts'
import { type Ask, ask } from './ask.ts'
import { articleId, type Content, tagId, userId } from './content.ts'
import { rowId } from './observe.ts'

type MakeQuery = (content: Content, dice: Dice, viewer: Viewer) => Ask

/** A way to ask for each field of Query, in the shapes that entries come in: rows, names, pages, counts. */
export const queries: { readonly [field: string]: MakeQuery } = {
  article: (content, dice) => {
    const id = content.pick('articles', dice)
    const slug = content.articles.get(id)?.slug
    if (slug !== undefined && dice.chance(25)) {
      return ask(
        'article',
        'query ($slug: String) { article(slug: $slug) { ...A } }',
        { slug },
        named('articles', 'slug', slug),
      )
    }
    return ask(
      'article',
      'query ($id: ID) { article(id: $id) { ...A } }',
      { id: articleId(id) },
      absent(`articles:${id}`),
    )
  },

  user: (content, dice) => {
    const id = content.pick('users', dice)
    if (dice.chance(40)) {
      const text = `query ($id: ID) { user(id: $id) { ...U articles(first: 100) { ${LIST} } } }`
      return ask(
        'user',
        text,
        { id: userId(id) },
        {
          says: (user) =>
            user ? list({ table: 'articles', authorId: id }, (user as Listed).articles) : gone(`users:${id}`),
        },
      )
    }
    const username = content.users.get(id)?.username
    if (username !== undefined && dice.chance(30)) {
      const text = 'query ($username: String) { user(username: $username) { ...U } }'
      return ask('user', text, { username }, named('users', 'username', username))
    }
    return ask('user', 'query ($id: ID) { user(id: $id) { ...U } }', { id: userId(id) }, absent(`users:${id}`))
  },

  tag: (content, dice) => {
    const id = content.pick('tags', dice)
    if (dice.chance(50)) {
      const text = `query ($id: ID, $orderBy: ArticleOrder) {
        tag(id: $id) { ...T articleCount articles(first: 100, orderBy: $orderBy) { ${LIST} } } }`
      const selection: Selection = { table: 'articles', tagId: id }
      return ask(
        'tag',
        text,
        { id: tagId(id), orderBy: dice.pick(ORDERS) },
        {
          says: (tag) =>
            tag
              ? [
                  ...list(selection, (tag as Listed).articles),
                  {
                    of: 'count',
                    selection: { ...selection, status: 'PUBLISHED' },
                    count: (tag as Listed).articleCount,
                  },
                ]
              : gone(`tags:${id}`),
        },
      )
    }
    const slug = content.tags.get(id)?.slug
    if (slug !== undefined && dice.chance(30)) {
      return ask('tag', 'query ($slug: String) { tag(slug: $slug) { ...T } }', { slug }, named('tags', 'slug', slug))
    }
    return ask('tag', 'query ($id: ID) { tag(id: $id) { ...T } }', { id: tagId(id) }, absent(`tags:${id}`))
  },

  articles: (content, dice, viewer) => {
    const text = `query ($first: Int, $orderBy: ArticleOrder, $filter: ArticleFilter) {
      articles(first: $first, orderBy: $orderBy, filter: $filter) { ${LIST} } }`
    const status = dice.pick([undefined, 'PUBLISHED', 'DRAFT'] as const)
    // Filters by name are whole lists too, but of nobody knows which tag or author: a name may change hands.
    const others = dice.chance(30)
      ? dice.maybe({
          tag: content.tags.get(content.pick('tags', dice))?.slug ?? 'none',
          author: content.users.get(content.pick('users', dice))?.username ?? 'nobody',
          search: dice.words(1),
        })
      : {}
    const variables = { first: dice.pick([2, 100, 100]), orderBy: dice.pick(ORDERS), filter: { status, ...others } }
    const isPlain = Object.keys(others).length === 0 && !(viewer === 'visitor' && status === 'DRAFT')
    const selection: Selection = { table: 'articles', ...(status && { status }) }
    return ask('articles', text, variables, isPlain ? { says: (found) => list(selection, found as Page) } : {})
  },

  users: () =>
    ask(
      'users',
      `{ users(first: 100) { totalCount pageInfo { hasNextPage } nodes { ...U } } }`,
      {},
      {
        says: (found) => list({ table: 'users' }, found as Page),
      },
    ),

  tags: (_content, dice) =>
    ask(
      'tags',
      'query ($first: Int) { tags(first: $first) { totalCount pageInfo { hasNextPage } nodes { ...T articleCount } } }',
      { first: dice.pick([2, 100]) },
      { says: (found) => list({ table: 'tags' }, found as Page) },
    ),

  node: (content, dice) => {
    const { id, row } = anything(content, dice)
    return ask('node', 'query ($id: ID!) { node(id: $id) { __typename ...A ...U ...T } }', { id }, absent(row))
  },

  nodes: (content, dice) => {
    const wanted = Array.from({ length: 1 + dice.below(5) }, () => anything(content, dice))
    const text = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ...A ...U ...T } }'
    return ask(
      'nodes',
      text,
      { ids: wanted.map(({ id }) => id) },
      {
        says: (found) => wanted.flatMap(({ row }, index) => ((found as unknown[])[index] ? [] : gone(row))),
      },
    )
  },

  viewer: (_content, _dice, viewer) =>
    ask(
      'viewer',
      `{ viewer { ...U articles(first: 100) { ${LIST} } } }`,
      {},
      {
        says: (found) =>
          typeof viewer === 'number' && found
            ? list({ table: 'articles', authorId: viewer }, (found as Listed).articles)
            : [],
      },
    ),
}

const LIST = 'totalCount pageInfo { hasNextPage } nodes { ...A }'
const ORDERS = ['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED'] as const

interface Page {
  readonly totalCount: number
  readonly pageInfo: { readonly hasNextPage: boolean }
  readonly nodes: readonly { readonly id: string }[]
}

interface Listed {
  readonly articles: Page
  readonly articleCount: number
}

const list = (selection: Selection, { totalCount, pageInfo, nodes }: Page): Observation[] => [
  { of: 'list', selection, ids: nodes.map(({ id }) => rowId(id)), complete: !pageInfo.hasNextPage },
  { of: 'count', selection, count: totalCount },
]

const gone = (row: string): Observation[] => [{ of: 'row', row, state: null }]

/** What null says of a row that was asked for by its id. */
const absent = (row: string): Pick<Ask, 'says'> => ({ says: (found) => (found ? [] : gone(row)) })

/** Whose name it is. */
const named = (table: Table, column: 'slug' | 'username', value: string): Pick<Ask, 'says'> => ({
  says: (found) => [{ of: 'name', table, column, value, id: found ? rowId((found as { id: string }).id) : null }],
})

function anything(content: Content, dice: Dice): { readonly id: string; readonly row: string } {
  const table = dice.pick(['articles', 'articles', 'users', 'tags'] as const)
  const id = content.pick(table, dice)
  const toId = { articles: articleId, users: userId, tags: tagId }[table]
  return { id: toId(id), row: `${table}:${id}` }
}
