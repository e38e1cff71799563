import type { Dice } from './dice.ts'
import type { KnownContent } from './known-content.ts'

export interface Ask {
  readonly query: string
  readonly variables: Record<string, unknown>
}

/** A way to ask for each field of Query, with every argument. */
export const queries: { readonly [field: string]: (known: KnownContent, dice: Dice) => Ask } = {
  article: (known, dice) =>
    ask(
      'query ($id: ID, $slug: String) { article(id: $id, slug: $slug) { ...A } }',
      lookUp(dice, known.articleId, { slug: known.slug }),
    ),
  user: (known, dice) =>
    ask(
      `query ($id: ID, $username: String, ${PAGE}, $orderBy: ArticleOrder) {
         user(id: $id, username: $username) { ...U articles(${PAGED}, orderBy: $orderBy) { ...L } } }`,
      { ...lookUp(dice, known.userId, { username: known.username }), ...page(known, dice), ...order(dice) },
    ),
  tag: (known, dice) =>
    ask(
      `query ($id: ID, $slug: String, ${PAGE}, $orderBy: ArticleOrder) {
         tag(id: $id, slug: $slug) { ...T articleCount articles(${PAGED}, orderBy: $orderBy) { ...L } } }`,
      { ...lookUp(dice, known.tagId, { slug: known.tagSlug }), ...page(known, dice), ...order(dice) },
    ),
  articles: (known, dice) =>
    ask(
      `query (${PAGE}, $orderBy: ArticleOrder, $filter: ArticleFilter) {
         articles(${PAGED}, orderBy: $orderBy, filter: $filter) { ...L edges { node { ...A } } } }`,
      { ...page(known, dice), ...order(dice), filter: articleFilter(known, dice) },
    ),
  users: (known, dice) =>
    ask(
      `query (${PAGE}) { users(${PAGED}) { totalCount pageInfo { ...P } edges { cursor node { ...U articles(first: 2) { totalCount } } } nodes { id } } }`,
      page(known, dice),
    ),
  tags: (known, dice) =>
    ask(
      `query (${PAGE}) { tags(${PAGED}) { totalCount pageInfo { ...P } edges { cursor node { ...T articleCount } } nodes { id } } }`,
      page(known, dice),
    ),
  node: (known, dice) =>
    ask('query ($id: ID!) { node(id: $id) { __typename ...A ...U ...T } }', { id: anyId(known, dice) }),
  nodes: (known, dice) =>
    ask('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ...A ...U ...T } }', {
      ids: Array.from({ length: dice.below(5) }, () => anyId(known, dice)),
    }),
  viewer: (known, dice) =>
    ask(`query (${PAGE}, $orderBy: ArticleOrder) { viewer { ...U articles(${PAGED}, orderBy: $orderBy) { ...L } } }`, {
      ...page(known, dice),
      ...order(dice),
    }),
}

const FRAGMENTS = {
  A: `fragment A on Article {
    id slug title summary body bodyHtml status viewCount publishedAt createdAt updatedAt version author { ...U } tags { ...T }
  }`,
  U: 'fragment U on User { id username displayName bio avatarUrl role createdAt email }',
  T: 'fragment T on Tag { id slug name description }',
  L: 'fragment L on ArticleConnection { totalCount pageInfo { ...P } edges { cursor } nodes { id title status author { username } tags { slug } } }',
  P: 'fragment P on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }',
}

/** With the fragments that the document uses, and no others. */
export function ask(text: string, variables: Record<string, unknown> = {}): Ask {
  let query = text
  for (const [name, fragment] of Object.entries(FRAGMENTS)) {
    if (new RegExp(`\\.\\.\\.${name}\\b`).test(query)) query += `\n${fragment}`
  }
  return { query, variables }
}

const PAGE = '$first: Int, $after: String, $last: Int, $before: String'
const PAGED = 'first: $first, after: $after, last: $last, before: $before'

function page(known: KnownContent, dice: Dice): Record<string, unknown> {
  const limit = dice.chance(3) ? dice.pick([0, 101]) : dice.pick([1, 2, 3, 5, 20, 100])
  return {
    ...(dice.chance(70) ? { first: limit } : { last: limit }),
    ...(dice.chance(25) && { after: cursor(known, dice) }),
    ...(dice.chance(15) && { before: cursor(known, dice) }),
  }
}

const cursor = (known: KnownContent, dice: Dice): string =>
  dice.chance(97) ? (dice.pickAny(known.cursors.filter(Boolean)) ?? 'none') : 'none'

const order = (dice: Dice) => dice.maybe({ orderBy: dice.pick(['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED']) }, 60)

function articleFilter(known: KnownContent, dice: Dice): Record<string, unknown> | undefined {
  if (dice.chance(20)) return undefined
  const day = () => new Date(Date.UTC(2026, 0, 1 + dice.below(28))).toISOString()
  return dice.maybe(
    {
      tag: known.tagSlug(),
      author: known.username(),
      status: dice.pick(['DRAFT', 'PUBLISHED']),
      search: dice.chance(80) ? dice.words(1) : `${dice.words(1)} -${dice.words(1)}`,
      publishedAfter: day(),
      publishedBefore: day(),
    },
    25,
  )
}

/** By id or by the other argument; now and then by both, which is an error. */
function lookUp(
  dice: Dice,
  id: () => string,
  other: { readonly [name: string]: () => string },
): Record<string, unknown> {
  const byOther = Object.fromEntries(Object.entries(other).map(([name, value]) => [name, value()]))
  if (dice.chance(3)) return { id: id(), ...byOther }
  return dice.chance(50) ? { id: id() } : byOther
}

const anyId = (known: KnownContent, dice: Dice): string => dice.pick([known.articleId, known.userId, known.tagId])()
