import { toGlobalId } from '../../src/identity/global-id.ts'
import { ARTICLES } from './data-set.ts'

export interface GraphQLRequest {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
}

export interface Workload {
  readonly about: string
  readonly method: 'GET' | 'POST'
  /** How `load.lua` draws from `requests`. */
  readonly draw: 'one' | 'zipf' | 'unlike'
  /** What it draws from, the most popular first. */
  readonly requests: readonly GraphQLRequest[]
  readonly mutationsPerThousand?: number
  /** Sent once before anything is measured, so that every cache is filled. */
  readonly warmUp: readonly GraphQLRequest[]
  /** All contestants must answer these alike. */
  readonly samples: readonly GraphQLRequest[]
}

/** Global ids of all articles, the most popular first. */
export const ARTICLE_IDS: readonly string[] = Array.from({ length: ARTICLES }, (_, n) => toGlobalId('Article', n + 1))

const list: GraphQLRequest = {
  query: `query Hot {
  articles(first: 20) { nodes { title summary author { displayName } tags { name } } }
}`,
}

export const single = (id: string): GraphQLRequest => ({
  query: `query Article($id: ID!) {
  article(id: $id) { id slug title summary body author { displayName } tags { name slug } }
}`,
  variables: { id },
})

const nested = (ids: readonly string[] | string): GraphQLRequest => ({
  query: `query Nested($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Article { title author { displayName articles(first: 5) { nodes { title } } } tags { name slug } }
  }
}`,
  variables: { ids },
})

/** `load.lua` fills in the gaps. */
export const update: GraphQLRequest = {
  query: `mutation Update($input: UpdateArticleInput!) {
  updateArticle(input: $input) { article { id title } }
}`,
  variables: { input: { id: '<id>', title: '<title>' } },
}

const hot = { draw: 'one', requests: [list], warmUp: [list], samples: [list] } as const

const singles = ARTICLE_IDS.map(single)
const zipf = {
  method: 'POST',
  draw: 'zipf',
  requests: singles,
  warmUp: singles,
  samples: singles.filter((_, n) => n % 200 === 0),
} as const

/** All articles, twenty at a time. */
const nestedLists = Array.from({ length: ARTICLES / 20 }, (_, n) => nested(ARTICLE_IDS.slice(20 * n, 20 * n + 20)))

export const workloads: Readonly<Record<string, Workload>> = {
  hot: { about: 'one list of 20 articles, POST', method: 'POST', ...hot },
  'hot-get': { about: 'one list of 20 articles, GET', method: 'GET', ...hot },
  zipf: { about: "10,000 queries for one article each, by Zipf's law, POST", ...zipf },
  'zipf+1%': { about: 'the same with 1 % mutations of the articles asked for', ...zipf, mutationsPerThousand: 10 },
  cold: {
    about: 'nested lists of 20 articles, no two requests alike, all rows in memory',
    method: 'POST',
    draw: 'unlike',
    requests: [nested('<ids>')],
    warmUp: nestedLists,
    samples: nestedLists.slice(0, 40),
  },
}
