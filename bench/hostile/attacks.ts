import { createHash } from 'node:crypto'
import { toGlobalId } from '../../src/identity/global-id.ts'

export interface Attack {
  readonly name: string
  /** How many connections send at once. */
  readonly connections: number
  /** Ordinary: requests, one after another on each connection. Withheld: all but the last byte of each. Unread: many, whose answers nobody reads. */
  readonly kind: 'ordinary' | 'withheld' | 'unread'
  /** The body of the `n`-th request. */
  readonly body: (n: number) => string
  /** The row id of the author who sends it. Absent: a visitor. */
  readonly author?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Slugs of the articles that attacks read: one with a long body, and some that are hard to render. */
export const LONG = 'hostile-long'
export const MARKDOWN = Array.from({ length: 40 }, (_, n) => `hostile-markdown-${n}`)

const names = (count: number, write: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => write(n)).join(' ')
const ask = (query: string, variables?: unknown) => JSON.stringify({ query, variables })
const always = (body: string) => () => body
const word = (n: number) => createHash('sha256').update(String(n)).digest('hex')

const NODES = 'query ($i: [ID!]!) { nodes(ids: $i) { id } }'
const CREATE = 'mutation ($b: String!) { createArticle(input: { title: "Hostile", body: $b }) { article { id } } }'
const write = (body: (n: number) => string) => ({
  connections: 8,
  kind: 'ordinary' as const,
  author: 1,
  body: (n: number) => ask(CREATE, { b: body(n) }),
})
const read = { connections: 8, kind: 'ordinary' as const }
const flood = { connections: 16, kind: 'ordinary' as const }
const AGAIN = ask('{ articles(first: 50) { nodes { title body } } }')

/** What a stranger, or an author, can send that is dear. */
export const ATTACKS: readonly Attack[] = [
  { name: '100,000 nulls for ids', ...read, body: always(ask(NODES, { i: Array(100_000).fill(null) })) },
  {
    name: '1,000 aliases of a body of 500 KB',
    ...read,
    body: (n) => ask(`{ article(slug: "${LONG}") { ${names(1000, (at) => `a${n}_${at}: body`)} } }`),
  },
  {
    // Nearly the longest answer that is given.
    name: '8 aliases of it',
    ...read,
    body: (n) => ask(`{ article(slug: "${LONG}") { ${names(8, (at) => `a${n}_${at}: body`)} } }`),
  },
  {
    name: 'hostile Markdown, read',
    ...read,
    body: (n) => ask(`query R${n} { article(slug: "${MARKDOWN[n % MARKDOWN.length]}") { bodyHtml } }`),
  },
  { name: 'hostile Markdown, written: `<b>`', ...write((n) => `${n}${'<b>'.repeat(160_000)}`) },
  { name: 'hostile Markdown, written: a heading of `[`', ...write((n) => `# ${n}${'['.repeat(240_000)}`) },
  {
    name: '90 lists of 100 bad ids',
    ...read,
    body: (n) =>
      ask(`query ($i: [ID!]!) { ${names(90, (at) => `a${n}_${at}: nodes(ids: $i) { id }`)} }`, {
        i: Array(100).fill('x'),
      }),
  },
  {
    name: '450 overlapping selections',
    ...read,
    body: (n) =>
      ask(`query O${n} { articles { ${names(450, () => 'nodes { author { id articles { nodes { id } } } }')} } }`),
  },
  {
    name: '100 × introspection',
    ...read,
    body: (n) => ask(`{ ${names(100, (at) => `a${n}_${at}: __schema { types { name fields { name } } }`)} }`),
  },
  { name: 'a field name of 3.9 MB', ...read, body: always(ask(`{ ${'x'.repeat(3_900_000)} }`)) },
  {
    name: 'variables 5,000 deep',
    ...read,
    body: always(`{"query":"${NODES}","variables":{"i":${'['.repeat(5000)}${']'.repeat(5000)}}}`),
  },
  {
    name: 'lists in lists, over the limit',
    ...read,
    body: (n) =>
      ask(
        `query C${n} { articles(first: 100) { nodes { author { articles(first: 100) { nodes { author { articles(first: 100) { totalCount } } } } } } } }`,
      ),
  },
  {
    name: '3,300 nested fragments',
    ...read,
    body: (n) =>
      ask(
        `query F${n} { ...F0 } ${names(3300, (at) => `fragment F${at} on Query { ...F${at + 1} }`)} fragment F3300 on Query { __typename }`,
      ),
  },
  { name: 'subscriptions', ...read, body: (n) => ask(`subscription S${n} { articleChanged { id } }`) },
  {
    name: 'bodies of 3.9 MB without their last byte',
    connections: 200,
    kind: 'withheld',
    body: always(AGAIN.padEnd(3_900_000)),
  },
  { name: 'answers that nobody reads', connections: 16, kind: 'unread', body: always(AGAIN) },
  {
    name: 'random documents',
    ...flood,
    body: (n) =>
      ask(
        `query D${n} { a${n}: articles(first: ${1 + (n % 20)}) { nodes { title author { username } tags { name } } } }`,
      ),
  },
  {
    name: 'random ids of nothing',
    ...flood,
    body: (n) => ask('query ($id: ID!) { article(id: $id) { title } }', { id: toGlobalId('Article', 10_000_000 + n) }),
  },
  {
    name: 'searches',
    ...flood,
    body: (n) =>
      ask('query ($s: String!) { articles(filter: { search: $s }) { totalCount nodes { title } } }', {
        s: `the -${word(n).slice(0, 8)}`,
      }),
  },
  {
    name: 'registrations of persisted queries',
    ...flood,
    body: (n) => {
      const query = `{ __typename } # ${word(n)}`
      const sha256Hash = createHash('sha256').update(query).digest('hex')
      return JSON.stringify({ query, extensions: { persistedQuery: { version: 1, sha256Hash } } })
    },
  },
  {
    name: 'a signed-in author with `no-cache`',
    ...flood,
    // Who has none of the long drafts that other attacks write.
    author: 2,
    headers: { 'cache-control': 'no-cache' },
    body: always(ask('{ articles(first: 20) { totalCount nodes { title body author { username } tags { name } } } }')),
  },
]
