import { expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { queryOnce, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

/** What Apollo has run once is run again without it, and past Fastify: nobody may notice. */
const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
await node.catchUp()
const admin = `Bearer ${await testToken('admin')}`

const ARTICLE =
  'query ($id: ID!, $first: Int = 1) { viewer { id } article(id: $id) { title author { articles(first: $first) { nodes { author { articles(first: $first) { nodes { title } } } } } } } }'
const UPDATE = 'mutation ($input: UpdateArticleInput!) { updateArticle(input: $input) { article { title } } }'

interface Asked {
  readonly query: string
  readonly variables: object
  readonly method?: 'GET' | 'POST'
  readonly headers?: Record<string, string>
}

const cases: Readonly<Record<string, () => Asked>> = {
  'a query that is for one viewer': () => ({ query: ARTICLE, variables: { id: ids.published } }),
  'the same by GET': () => ({ query: ARTICLE, variables: { id: ids.published }, method: 'GET' }),
  'the same as GraphQL over HTTP has it': () => ({
    query: ARTICLE,
    variables: { id: ids.published },
    headers: { accept: 'application/graphql-response+json' },
  }),
  'a query of what is not there': () => ({ query: ARTICLE, variables: { id: 'nonsense' } }),
  'a variable of the wrong type': () => ({ query: ARTICLE, variables: { id: ids.published, first: 'many' } }),
  'no variable where one must be': () => ({ query: ARTICLE, variables: {} }),
  'too much': () => ({ query: ARTICLE, variables: { id: ids.published, first: 100 } }),
  'a page beyond the bounds': () => ({ query: ARTICLE, variables: { id: ids.published, first: -1 } }),
  'a mutation': () => ({ query: UPDATE, variables: { input: { id: ids.published, title: 'Title' } } }),
  'a mutation by GET': () => ({
    query: UPDATE,
    variables: { input: { id: ids.published, title: 'Title' } },
    method: 'GET',
  }),
  'a mutation that is refused': () => ({
    query: UPDATE,
    variables: { input: { id: ids.published, title: 'Title', expectedVersion: 100 } },
  }),
  'a mutation by nobody': () => ({
    query: UPDATE,
    variables: { input: { id: ids.published, title: 'Title' } },
    headers: { authorization: '' },
  }),
}

it.each(Object.keys(cases))('answers %s as the first time', async (name) => {
  const asked = cases[name]?.()
  if (!asked) throw new Error(`There is no case "${name}".`)
  // The same document in a spelling of its own is one that nobody has run. Three times: the cache holds the entries after the first, the answer after the second.
  const firstTime = (spelling: string) => ask({ ...asked, query: `${asked.query} # ${name}, ${spelling}` })
  await firstTime('to fill the cache')
  await firstTime('to be kept')
  const expected = await firstTime('to compare')
  // As far as this one goes it has been run, if only for somebody else.
  const learnt = asked.query === UPDATE ? { input: { id: ids.annsDraft, title: 'Title' } } : { id: ids.published }
  expect((await ask({ query: asked.query, variables: learnt })).body).toMatch(/^{"data":/)
  for (let time = 0; time < 2; time++) expect(await ask(asked)).toEqual(expected)
})

it('runs a mutation once, of which a part fails', async () => {
  const query = `mutation ($one: UpdateArticleInput!, $other: UpdateArticleInput!) {
    one: updateArticle(input: $one) { article { title } } other: updateArticle(input: $other) { article { title } } }`
  const run = (other: string, title: string) =>
    ask({ query, variables: { one: { id: ids.published, title }, other: { id: other, title: 'Other' } } })
  const version = async () => {
    const [row] = await queryOnce(database.url, `select version::int from articles where slug = 'published'`)
    return row?.version as number
  }
  await run(ids.annsDraft, 'One')
  const before = await version()
  const { body } = await run(toGlobalId('Article', 1000), 'One more')
  expect(JSON.parse(body)).toMatchObject({
    errors: [{ extensions: { code: 'NOT_FOUND' } }],
  })
  expect(await version()).toBe(before + 1)
})

it('refuses what reaches for a prototype, whatever was run before', async () => {
  const body = JSON.stringify({ query: ARTICLE, variables: { id: ids.published } })
  const poisoned = body.replace('"variables":{', '"variables":{"__proto__":{"id":1},')
  const send = (body: string) =>
    fetch(`${node.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect((await send(body)).status).toBe(200)
  for (let time = 0; time < 2; time++) expect((await send(poisoned)).status).toBe(400)
})

/** But for what is another each time. */
async function ask({ query, variables, method = 'POST', headers = {} }: Asked) {
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  const response = await fetch(`${node.url}/graphql${method === 'GET' ? `?${parameters}` : ''}`, {
    method,
    headers: { 'content-type': 'application/json', authorization: admin, 'x-request-id': 'mine', ...headers },
    ...(method === 'POST' && { body: JSON.stringify({ query, variables }) }),
  })
  const { date: _date, 'stet-as-of': asOf, 'cache-status': found, ...same } = Object.fromEntries(response.headers)
  expect(asOf).toMatch(/^\d+\.\w+$/)
  const status = { status: response.status, found: found?.replace(/ttl=\d+/, 'ttl=…') }
  return { ...status, headers: same, body: await response.text() }
}
