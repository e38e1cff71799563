import { expect, it } from '@jest/globals'
import { GraphQLClient, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, BOB } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({
  database,
  environment: { QUERY_MAX_COMPLEXITY: 'visitor=10,author=300,admin=1000' },
})
await addContent(database.url)
await node.catchUp()
const visitor = new GraphQLClient(node.url)
const author = new GraphQLClient(node.url, await testToken('author', ANN))
const other = new GraphQLClient(node.url, await testToken('author', BOB))
const admin = new GraphQLClient(node.url, await testToken('admin'))

const codesOf = async (client: GraphQLClient, query: string) => {
  const { errors } = await client.send(query)
  return errors.map(({ message, extensions }) => [extensions.code, /\d+; the server gives \d+/.exec(message)?.[0]])
}

it('gives each role as much as it may ask for, and says so', async () => {
  const query = (first: number) => `{ tags(first: ${first}) { nodes { id name } } }`
  expect(await codesOf(visitor, query(3))).toEqual([])
  expect(await codesOf(visitor, query(4))).toEqual([['QUERY_TOO_COMPLEX', '13; the server gives 10']])
  expect(await codesOf(author, query(99))).toEqual([])
  expect(await codesOf(author, query(100))).toEqual([['QUERY_TOO_COMPLEX', '301; the server gives 300']])
  expect(await codesOf(admin, query(100))).toEqual([])
})

it.each([
  ['{ articles(first: 1, filter: { search: "word" }) { totalCount } }', '203; the server gives 10'],
  [
    'query ($f: ArticleFilter) { a: articles(filter: $f) { totalCount } b: articles { totalCount } }',
    '42; the server gives 10',
  ],
  ['{ article(slug: "one") { bodyHtml } }', '11; the server gives 10'],
  ['mutation { deleteArticle(id: "x") { deletedId } }', '101; the server gives 10'],
  ['mutation { recordView(articleId: "x") }', undefined],
  ['{ article(slug: "one") { body title } }', undefined],
])('prices what is dear by what it takes: %s', async (query, cost) => {
  expect((await codesOf(visitor, query)).flat()).toEqual(
    cost === undefined ? expect.not.arrayContaining(['QUERY_TOO_COMPLEX']) : ['QUERY_TOO_COMPLEX', cost],
  )
})

it('gives no author what an admin may ask for, kept or not', async () => {
  const query = '{ tags(first: 100) { nodes { id slug name } } }'
  for (let time = 0; time < 3; time++) {
    expect(await codesOf(admin, query)).toEqual([])
    for (const client of [author, other, visitor]) expect(await codesOf(client, query)).toHaveLength(1)
  }
  const { headers } = await admin.send(query)
  expect(headers.get('x-cache')).toBe('HIT')
})

it('lets authors share what they may all ask for', async () => {
  const query = '{ tags(first: 50) { nodes { id slug name } } }'
  for (let time = 0; time < 3; time++) expect(await codesOf(author, query)).toEqual([])
  const { headers } = await other.send(query)
  expect(headers.get('x-cache')).toBe('HIT')
})

it('shows the definitions of its price directives to whoever may see the schema', async () => {
  const { data } = await visitor.send<{ __schema: { directives: { name: string; args: { name: string }[] }[] } }>(
    '{ __schema { directives { name args { name } } } }',
  )
  expect(data.__schema.directives).toEqual(
    expect.arrayContaining([
      { name: 'cost', args: [{ name: 'weight' }] },
      {
        name: 'listSize',
        args: ['assumedSize', 'slicingArguments', 'sizedFields', 'requireOneSlicingArgument'].map((name) => ({ name })),
      },
    ]),
  )
})
