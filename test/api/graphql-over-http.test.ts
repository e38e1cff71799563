import { describe, expect, it } from '@jest/globals'
import { serverAudits } from 'graphql-http'
import { queryOnce, type TestNode, testToken } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'
import { pathOf, type Raw, rawClient, type Sending } from './raw-client.ts'

/** GraphQL over HTTP, the draft: its own audits, and its rules. `docs/standards.md` lists them. */
const database = await useDatabase()
/** One keeps whole answers, the other none: they must conform alike. */
const nodes: Record<'kept' | 'made anew', TestNode> = {
  kept: await useNode({ database }),
  'made anew': await useNode({ database, environment: { CACHE_RESPONSES: 'off' } }),
}
await addContent(database.url)
for (const node of Object.values(nodes)) await node.catchUp()
const admin = `Bearer ${await testToken('admin')}`

const audits = (['kept', 'made anew'] as const).flatMap((which) =>
  serverAudits({ url: () => `${nodes[which].url}/graphql` }).map(({ id, name, fn }) => ({ id, name, fn, which })),
)

it.each(audits)('$id $name ($which)', async ({ id, fn }) => {
  // Once more where the first answer may have been kept.
  for (const result of [await fn(), await fn()]) {
    expect(result).toMatchObject({ id, status: 'ok' })
  }
})

const JSON_TYPE = 'application/json'
const GRAPHQL_TYPE = 'application/graphql-response+json'
const COUNT = '{ articles { totalCount } }'
const COUNTED = { data: { articles: { totalCount: 2 } } }
const LIMITED = 'query ($n: Int) { tags(first: $n) { nodes { slug } } }'
const MUTATION = `mutation { deleteArticle(id: "${ids.published}") { deletedId } }`

const post = (body: unknown, headers: Record<string, string> = {}, method = 'POST'): Sending => ({
  method,
  headers: { 'content-type': JSON_TYPE, ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

type Row = readonly [rule: string, path: string, sending: Sending, expected: (answer: Raw) => void]

const is =
  (status: number, body: unknown = expect.anything(), type = JSON_TYPE) =>
  (answer: Raw) => {
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, body])
    expect(answer.headers['content-type']).toBe(`${type}; charset=utf-8`)
  }

const faulty = (code: string) => ({
  errors: [expect.objectContaining({ extensions: expect.objectContaining({ code }) })],
})

const FAULTS: readonly (readonly [rule: string, body: unknown, code: string])[] = [
  ['Document parsing failure', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
  ['Document validation failure', { query: '{ nonsense }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['Operation cannot be determined', { query: `query A ${COUNT} query B ${COUNT}` }, 'OPERATION_RESOLUTION_FAILURE'],
  [
    'Operation cannot be determined: no such name',
    { query: `query A ${COUNT}`, operationName: 'B' },
    'OPERATION_RESOLUTION_FAILURE',
  ],
  ['Variable coercion failure', { query: LIMITED, variables: { n: 'x' } }, 'BAD_USER_INPUT'],
]

const MALFORMED: readonly (readonly [rule: string, body: unknown])[] = [
  ['JSON parsing failure', 'NONSENSE'],
  ['JSON parsing failure: cut off', '{"query":'],
  ['Invalid parameters: a typo', { qeury: '{ __typename }' }],
  ['Invalid parameters: a query that is no text', { query: 1 }],
  ['Invalid parameters: variables that are no map', { query: COUNT, variables: 1 }],
  ['Invalid parameters: extensions that are no map', { query: COUNT, extensions: [] }],
  ['Invalid parameters: a name that is no text', { query: COUNT, operationName: 1 }],
]

const BATCHES: readonly (readonly [what: string, body: unknown])[] = [
  ['a list of variables', { query: LIMITED, variables: [{ n: 1 }, { n: 2 }] }],
  ['a list of one', { query: LIMITED, variables: [{ n: 1 }] }],
  ['an empty list of variables', { query: LIMITED, variables: [] }],
  ['a list of variables that are none', { query: LIMITED, variables: [7] }],
  ['a list of operations', [{ query: COUNT }, { query: COUNT }]],
  ['a list of one operation', [{ query: COUNT }]],
  ['an empty list of operations', []],
  ['a list of variables in a list of operations', [{ query: LIMITED, variables: [{ n: 1 }] }]],
]

const ROWS: readonly Row[] = [
  ['4.1 Media Types: without a charset it is UTF-8', '/graphql', post({ query: COUNT }), is(200, COUNTED)],
  [
    '4.1 Media Types: UTF-8 by name',
    '/graphql',
    post({ query: COUNT }, { 'content-type': 'application/json; charset=utf-8' }),
    is(200, COUNTED),
  ],
  [
    '5.1 Request Parameters: null is as absent',
    '/graphql',
    post({ query: COUNT, operationName: null, variables: null, extensions: null }),
    is(200, COUNTED),
  ],
  [
    '5.1 Request Parameters: other properties are ignored',
    '/graphql',
    post({ query: COUNT, other: 1 }),
    is(200, COUNTED),
  ],
  [
    '5.1 Request Parameters: extensions are taken',
    '/graphql',
    post({ query: COUNT, extensions: { a: 1 } }),
    is(200, COUNTED),
  ],
  // See "Where Stet differs".
  ['5.2 Accept: absent, it is application/json', '/graphql', post({ query: COUNT }), is(200, COUNTED)],
  [
    '5.2 Accept: as the draft recommends to clients',
    '/graphql',
    post({ query: COUNT }, { accept: `${GRAPHQL_TYPE}, ${JSON_TYPE};q=0.9` }),
    is(200, COUNTED, GRAPHQL_TYPE),
  ],
  [
    '5.3 GET: the parameters of the URL',
    pathOf(LIMITED, { n: 1 }),
    {},
    is(200, { data: { tags: { nodes: [{ slug: 'cats' }] } } }),
  ],
  ['5.3 GET: an empty operationName is as absent', `${pathOf(COUNT)}&operationName=`, {}, is(200, COUNTED)],
  [
    '5.1 Request Parameters: null variables of a GET are as absent',
    `${pathOf(COUNT)}&variables=null`,
    {},
    is(200, COUNTED),
  ],
  [
    '5.3 GET: operationName=null is a name',
    `${pathOf('query null { __typename } query b { __typename }')}&operationName=null`,
    {},
    is(200, { data: { __typename: 'Query' } }),
  ],
  ['5.3 GET: variables that are not JSON', `${pathOf(COUNT)}&variables=x`, {}, is(400, faulty('BAD_REQUEST'))],
  ['5.3 GET: no mutation', pathOf(MUTATION), { headers: { authorization: admin } }, is(405, faulty('BAD_REQUEST'))],
  [
    '5.3 GET: no mutation by its name',
    `${pathOf(`query q { __typename } ${MUTATION.replace('mutation', 'mutation m')}`)}&operationName=m`,
    { headers: { authorization: admin } },
    is(405, faulty('BAD_REQUEST')),
  ],
  ['5.4 POST: without a Content-Type', '/graphql', { ...post({ query: COUNT }), headers: {} }, is(415)],
  [
    '5.4 POST: the URL’s own parameters don’t count',
    pathOf('{ tags { totalCount } }'),
    post({ query: COUNT }),
    is(200, COUNTED),
  ],
  ['6.1 Body: 406 if nothing is accepted', '/graphql', post({ query: COUNT }, { accept: 'text/csv' }), is(406)],
  [
    '6.1 Body: 406 to a client that wants a stream of events',
    '/graphql',
    post({ query: COUNT }, { accept: 'text/event-stream' }),
    is(406),
  ],
  ...MALFORMED.flatMap(([rule, body]): Row[] => [
    [`6.4.1 ${rule}`, '/graphql', post(body, { accept: JSON_TYPE }), is(400, faulty('BAD_REQUEST'))],
    [`6.4.2 ${rule}`, '/graphql', post(body, { accept: GRAPHQL_TYPE }), is(400, faulty('BAD_REQUEST'), GRAPHQL_TYPE)],
  ]),
  ...FAULTS.flatMap(([rule, body, code]): Row[] => [
    [`6.4.1 ${rule}`, '/graphql', post(body, { accept: JSON_TYPE }), is(200, faulty(code))],
    [`6.4.2 ${rule}`, '/graphql', post(body, { accept: GRAPHQL_TYPE }), is(400, faulty(code), GRAPHQL_TYPE)],
  ]),
  ...[JSON_TYPE, GRAPHQL_TYPE].map(
    (accept): Row => [
      `6.4 Field errors encountered during execution, in ${accept}`,
      '/graphql',
      post({ query: `{ articles { totalCount } node(id: "nonsense") { id } }` }, { accept }),
      is(200, expect.objectContaining({ data: { articles: { totalCount: 2 }, node: null } }), accept),
    ],
  ),
  ...[JSON_TYPE, GRAPHQL_TYPE].map(
    (accept): Row => [
      `6.4 Status Codes: 401 to a client that may not ask, in ${accept}`,
      '/graphql',
      post({ query: COUNT }, { accept, authorization: 'Bearer nonsense' }),
      is(401, faulty('UNAUTHENTICATED'), accept),
    ],
  ),
]

/** One document and a list of variables, or a list of operations: no clients of browsers send the former. */
const BATCH_ROWS = BATCHES.flatMap(([what, body]): Row[] =>
  ['POST', 'QUERY'].flatMap((method) =>
    [JSON_TYPE, GRAPHQL_TYPE].map(
      (accept): Row => [
        `Appendix B Batching: ${what} by ${method} in ${accept}`,
        '/graphql',
        post(body, { accept, authorization: admin }, method),
        is(
          400,
          { errors: [{ message: expect.stringContaining('(a batch)'), extensions: { code: 'BAD_REQUEST' } }] },
          accept,
        ),
      ],
    ),
  ),
)

describe.each(['kept', 'made anew'] as const)('a rule, answers %s', (which) => {
  const { send } = rawClient(nodes[which].url)

  it.each([...ROWS, ...BATCH_ROWS])('%s', async (_rule, path, sending, expected) => {
    for (let n = 0; n < 2; n++) expected(await send(path, sending))
  })

  it('Appendix B Batching: a list of variables by GET', async () => {
    const answer = await send(`${pathOf(LIMITED)}&variables=${encodeURIComponent('[{"n":1}]')}`)
    is(400, { errors: [{ message: expect.stringContaining('(a batch)'), extensions: { code: 'BAD_REQUEST' } }] })(
      answer,
    )
  })

  it('Appendix B Batching: a mutation is not run for the first variables either', async () => {
    const query = 'mutation ($id: ID!) { deleteArticle(id: $id) { deletedId } }'
    const answer = await send('/graphql', post({ query, variables: [{ id: ids.published }] }, { authorization: admin }))
    expect(answer.status).toBe(400)
    expect(await queryOnce(database.url, `select 1 from articles where slug = 'published'`)).toHaveLength(1)
  })
})
