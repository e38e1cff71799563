import { expect, it } from '@jest/globals'
import { pino } from 'pino'
import { readConfig } from '../../src/app/config.ts'
import { startNode } from '../../src/app/start-node.ts'
import { GraphQLClient, queryOnce, TEST_JWT_SECRET, testToken } from '../harness/index.ts'
import { use, useDatabase } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

const logged: string[] = []

const database = await useDatabase()
/** Also long bodies of visitors are read: each bound is to be met by itself. */
const environment = {
  REQUEST_MAX_BYTES_OF_VISITORS: '4194304',
  PORT: '0',
  DATABASE_URL: database.url,
  AUTH_JWT_SECRET: TEST_JWT_SECRET,
}
const logger = pino({ level: 'error' }, { write: (line: string) => logged.push(line) })
const node = use(await startNode({ config: readConfig(environment), logger }), (it) => it.close())
await addContent(database.url)
const visitor = new GraphQLClient(node.url)
const author = new GraphQLClient(node.url, await testToken('author', ANN))

const JSON_TYPE = 'application/json'
const GRAPHQL_TYPE = 'application/graphql-response+json'
const names = (count: number, of: (n: number) => string) => Array.from({ length: count }, (_, n) => of(n)).join(' ')
const nest = (depth: number, open: string, close: string) => `{"i":${open.repeat(depth)}1${close.repeat(depth)}}`
const NODES = 'query ($i: [ID!]!) { nodes(ids: $i) { id } }'

async function refusal(query: string, { variables = {} as object | string, accept = JSON_TYPE } = {}) {
  const response = await fetch(`${node.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: `{"query":${JSON.stringify(query)},"variables":${typeof variables === 'string' ? variables : JSON.stringify(variables)}}`,
  })
  const text = await response.text()
  const { data, errors } = JSON.parse(text)
  return {
    status: response.status,
    bytes: text.length,
    data,
    codes: errors.map((e: Told) => e.extensions.code),
    message: errors[0].message,
  }
}

interface Told {
  readonly message: string
  readonly extensions: { readonly code: string }
}

it.each([
  ['100,000 nulls', NODES, { i: Array(100_000).fill(null) }, 'BAD_USER_INPUT'],
  ['1,500 nulls', NODES, { i: Array(1500).fill(null) }, 'BAD_USER_INPUT', true],
  [
    '200,000 variables that nothing uses',
    '{ viewer { id } }',
    Object.fromEntries(
      names(200_000, (n) => `v${n}`)
        .split(' ')
        .map((n) => [n, 1]),
    ),
    'BAD_USER_INPUT',
  ],
  ['variables 5,000 lists deep', NODES, nest(5000, '[', ']'), 'BAD_USER_INPUT'],
  [
    'variables 5,000 objects deep',
    'mutation ($i: CreateArticleInput!) { createArticle(input: $i) { article { id } } }',
    nest(5000, '{"a":', '}'),
    'BAD_USER_INPUT',
  ],
  ['variables 5,000 deep that nothing uses', '{ viewer { id } }', nest(5000, '[', ']'), 'BAD_USER_INPUT'],
  ['a text of 3 MB in place of an id', NODES, { i: ['x', { a: 'y'.repeat(3_000_000) }] }, 'BAD_USER_INPUT', true],
  [
    'more objects than are given',
    '{ articles(first: 100) { nodes { author { articles(first: 100) { nodes { author { articles(first: 100) { nodes { id } } } } } } } } }',
    {},
    'QUERY_TOO_COMPLEX',
  ],
  ['a field name of 3.9 MB', `{ ${'x'.repeat(3_900_000)} }`, {}, 'QUERY_TOO_COMPLEX'],
  ['a field name of 100 KB', `{ ${'x'.repeat(100_000)} }`, {}, 'GRAPHQL_VALIDATION_FAILED', true],
  ['a syntax error of 100 KB', `{ a } ${'x'.repeat(100_000)}`, {}, 'GRAPHQL_PARSE_FAILED', true],
  ['450 selections of one field', `{ ${'articles { nodes { title } } '.repeat(450)} }`, {}, 'QUERY_TOO_COMPLEX'],
  [
    '100 introspections',
    `{ ${names(100, (n) => `a${n}: __schema { types { name fields { name } } }`)} }`,
    {},
    'QUERY_TOO_COMPLEX',
  ],
  [
    '3,300 fragments within each other',
    `{ ${'... { '.repeat(3300)} viewer { id } ${'}'.repeat(3300)} }`,
    {},
    'QUERY_TOO_COMPLEX',
  ],
  ['5,000 directives', `{ viewer { id ${'@skip(if: false) '.repeat(3000)} } }`, {}, 'QUERY_TOO_COMPLEX'],
  [
    '500 mutations',
    `mutation { ${names(500, (n) => `a${n}: recordView(articleId: "${ids.published}")`)} }`,
    {},
    'QUERY_TOO_COMPLEX',
  ],
  [
    '90 lists of 100 ids that are none',
    `query ($i: [ID!]!) { ${names(90, (n) => `a${n}: nodes(ids: $i) { id }`)} }`,
    { i: Array(100).fill('bad') },
    'QUERY_TOO_COMPLEX',
  ],
  ['a subscription', 'subscription { articleChanged { id } }', {}, 'BAD_USER_INPUT'],
] as readonly (readonly [string, string, object | string, string, boolean?])[])(
  'refuses %s with 400, briefly, and logs nothing',
  async (_what, query, variables, code, isWrong = false) => {
    const before = logged.length
    for (const accept of [JSON_TYPE, GRAPHQL_TYPE]) {
      const { status, bytes, data, codes } = await refusal(query, { variables, accept })
      expect({ data, codes: [...new Set(codes)] }).toEqual({ data: undefined, codes: [code] })
      // A document or a variable that is wrong is told in JSON with 200 (GraphQL over HTTP, section 6.4.1).
      expect(status).toBe(accept === JSON_TYPE && isWrong ? 200 : 400)
      expect(codes.length).toBeLessThanOrEqual(51)
      expect(bytes).toBeLessThan(20_000)
    }
    expect(logged.slice(before)).toEqual([])
  },
)

it('says what a query would have cost, and what is given', async () => {
  const { message } = await refusal(
    '{ nodes(ids: []) { id } articles(first: 100) { nodes { author { articles(first: 100) { nodes { id title author { id } } } } } } }',
  )
  expect(message).toMatch(/^The operation would cost up to \d+; the server gives 20000 at once\.$/)
})

it('looks for no more errors than it tells, known document or not', async () => {
  const query = `query ($i: [ID!]!) { ${names(40, (n) => `a${n}: nodes(ids: $i) { id }`)} }`
  for (let time = 0; time < 3; time++) {
    const { data, codes } = await refusal(query, { variables: { i: Array(100).fill(`bad ${time}`) } })
    expect(data).toBeNull()
    expect(codes).toEqual([...Array(100).fill('BAD_USER_INPUT'), 'TOO_MANY_ERRORS'])
  }
})

it('sends no answer that is too large, names the error, and goes on', async () => {
  const created = await author.send<{ createArticle: { article: { id: string } } }>(
    'mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { id } } }',
    { input: { title: 'Long', body: `${'word '.repeat(79_999)}end`, status: 'PUBLISHED' } },
  )
  expect(created.errors).toEqual([])
  const { id } = created.data.createArticle.article
  const wide = `{ article(id: "${id}") { ${names(90, (n) => `a${n}: body`)} } }`
  for (let time = 0; time < 3; time++) {
    expect(await refusal(wide)).toMatchObject({
      status: 200,
      data: undefined,
      codes: ['ANSWER_TOO_LARGE'],
    })
    expect(await refusal(wide, { accept: GRAPHQL_TYPE })).toMatchObject({
      status: 400,
      codes: ['ANSWER_TOO_LARGE'],
    })
  }
  const narrow = await visitor.send<{ article: { body: string } }>(`{ article(id: "${id}") { body } }`)
  expect(narrow.errors).toEqual([])
  expect(narrow.data.article.body).toHaveLength(399_998)
})

it('counts a text as it is written: escaped, in UTF-8', async () => {
  for (const letter of ['\u0001', 'ж', '"']) {
    const created = await author.send<{ createArticle: { article: { id: string } } }>(
      'mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { id } } }',
      { input: { title: `Of ${letter.charCodeAt(0)}`, body: letter.repeat(100_000), status: 'PUBLISHED' } },
    )
    expect(created.errors).toEqual([])
    const query = `{ article(id: "${created.data.createArticle.article.id}") { ${names(60, (n) => `a${n}: body`)} } }`
    for (let time = 0; time < 2; time++) expect((await refusal(query)).codes).toEqual(['ANSWER_TOO_LARGE'])
  }
})

it('takes a document of 100,000 bytes that is plain', async () => {
  const { errors } = await visitor.send(`# ${'note '.repeat(20_000)}\n{ viewer { id } }`)
  expect(errors).toEqual([])
})

it('keeps its tables as they were after all that', async () => {
  const [row] = await queryOnce(database.url, 'select count(*)::int as count from articles where title = $$x$$')
  expect(row).toEqual({ count: 0 })
})
