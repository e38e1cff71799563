import { beforeAll, expect, it } from '@jest/globals'
import { useDatabase, useNode } from '../harness/use.ts'
import { Dice } from './oracle/dice.ts'
import { EXTREMES } from './values/extremes.ts'
import { writeExtremes } from './values/write-extremes.ts'

/** Every extreme of every column, given by a client. */

const database = await useDatabase()
const node = await useNode({ database })

beforeAll(async () => {
  await writeExtremes(database.url, new Dice(1), 0)
  await node.catchUp()
})

it('answers whatever argument comes, and is never at a loss', async () => {
  const given = [...new Set(Object.values(EXTREMES).flatMap((columns) => Object.values(columns).flat()))]
  const cursors = (value: string | null) =>
    ['NEWEST', 'OLDEST', 'TITLE', 'MOST_VIEWED'].flatMap((order) =>
      [1, 2 ** 53].map((id) => {
        const after = Buffer.from(JSON.stringify([order, value, id])).toString('base64url')
        return `articles(after: "${after}", orderBy: ${order}) { nodes { id } }`
      }),
    )
  for (const value of given.filter((value) => (value?.length ?? 0) <= 10_000)) {
    for (const [type, fields] of ARGUMENTS) {
      const { errors } = await node.admin.send(`query ($value: ${type}) { ${aliased(fields)} }`, { value })
      expectTold([fields, value], errors)
    }
    const { errors } = await node.visitor.send(`{ ${aliased(cursors(value))} }`)
    expectTold(['cursors of', value], errors)
  }
})

it('gives back what it was given, byte by byte, or says what is wrong with it', async () => {
  let n = 0
  const add = async (mutation: string, input: Record<string, unknown>, shown: string) => {
    const [one = ''] = shown.split(' ')
    const query = `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { ${shown} } }`
    const { data, errors } = await node.admin.send<Record<string, Record<string, object>>>(query, { input })
    expectTold(input, errors)
    if (errors.length === 0) expect(data[mutation]?.[one]).toMatchObject(input)
    return errors.length
  }
  let refusals = 0
  for (const name of EXTREMES.tags.name)
    refusals += await add('createTag', { name, slug: `made-${++n}` }, 'tag { slug name }')
  for (const description of EXTREMES.tags.description) {
    refusals += await add(
      'createTag',
      { name: 'Made', slug: `made-${++n}`, description },
      'tag { slug name description }',
    )
  }
  const user = () => ({ username: `made-${++n}`, displayName: 'Made', email: `made-${n}@example.com` })
  const FOUND = 'user { username displayName email bio avatarUrl }'
  for (const displayName of EXTREMES.users.display_name)
    refusals += await add('createUser', { ...user(), displayName }, FOUND)
  for (const email of EXTREMES.users.email)
    refusals += await add('createUser', { ...user(), email: `${n}${email}` }, FOUND)
  for (const avatarUrl of EXTREMES.users.avatar_url)
    refusals += await add('createUser', { ...user(), avatarUrl }, FOUND)
  expect(refusals).toBeGreaterThan(10)
})

/** For each type the fields that take it. */
const ARGUMENTS: readonly (readonly [type: string, fields: readonly string[]])[] = [
  [
    'ID!',
    ['node(id: $value) { id }', 'nodes(ids: [$value]) { id }', 'article(id: $value) { id }', 'user(id: $value) { id }'],
  ],
  [
    'String',
    [
      'article(slug: $value) { id }',
      'tag(slug: $value) { id }',
      'user(username: $value) { id }',
      'articles(after: $value) { nodes { id } }',
      ...['tag', 'author', 'search'].map((it) => `articles(filter: { ${it}: $value }) { totalCount nodes { id } }`),
    ],
  ],
  ...['publishedAfter', 'publishedBefore'].map(
    (it) => ['DateTime', [`articles(filter: { ${it}: $value }) { totalCount nodes { id } }`]] as const,
  ),
]

const aliased = (fields: readonly string[]): string => fields.map((field, n) => `f${n}: ${field}`).join(' ')

function expectTold(what: unknown, errors: readonly { readonly extensions: { readonly code: string } }[]): void {
  const codes = errors.map(({ extensions }) => extensions.code)
  expect([what, codes.filter((code) => !TOLD.includes(code))]).toEqual([what, []])
}

const TOLD = ['BAD_USER_INPUT', 'SLUG_TAKEN', 'USERNAME_TAKEN', 'EMAIL_TAKEN']
