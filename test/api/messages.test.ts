import { describe, expect, it } from '@jest/globals'
import {
  buildASTSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isRequiredArgument,
  isRequiredInputField,
  isScalarType,
  parse,
} from 'graphql'
import { readSchema } from '../../src/graphql/schema/index.ts'
import { quote } from '../../src/kernel/input.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
const ann = await node.author(ANN)

/** A place in the arguments of a field at the root, such as `input.title` of `updateArticle`. */
interface Place {
  readonly operation: 'query' | 'mutation'
  readonly field: string
  readonly path: string
  /** The arguments of the field with a value at the place, and with whatever must be given beside it. */
  readonly fill: (value: unknown) => Record<string, unknown>
}

const places = findPlaces()

it('knows every place', () => {
  expect(places.map(({ field, path }) => `${field} ${path}`)).toEqual(
    expect.arrayContaining([
      'articles filter.search',
      'nodes ids',
      'updateArticle input.tags',
      'createUser input.email',
    ]),
  )
})

describe('says what was sent, and where, of a text that cannot be:', () => {
  it.each(places.map((place) => [`${place.field}(${place.path})`, place] as const))('%s', async (_name, place) => {
    for (const text of ['nul \0 in "quotes"', `\u202e${'long '.repeat(200)}\0`]) {
      const [error, ...more] = await send(place, text)
      expect(more).toEqual([])
      expect(error).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: place.path } })
      expect(error?.message).toContain(place.path)
      expect(error?.message).toContain(quote(text))
      expect(error?.message.length).toBeLessThan(400)
    }
  })
})

const LONG = 'x'.repeat(600_000)
const NOBODY = Buffer.from('User:99').toString('base64url')
const ARTICLE = 'createArticle(input: { title: $text, body: "" }) { article { id } }'
const BODY = 'createArticle(input: { title: "T", body: $text }) { article { id } }'
const AUTHOR = 'createArticle(input: { title: "T", body: "", authorId: $text }) { article { id } }'
const SLUG = 'createArticle(input: { title: "T", body: "", slug: $text }) { article { id } }'
const TAGS = 'createArticle(input: { title: "T", body: "", tags: ["cats", $text] }) { article { id } }'
const user = (field: string) => `updateUser(input: { id: "${ids.ann}", ${field}: $text }) { user { id } }`

it.each([
  [ARTICLE, '\u200b\u2060', 'input.title', '"\\u200b\\u2060"'],
  [ARTICLE, ' \u0301', 'input.title', '" \\u0301"'],
  [BODY, LONG, 'input.body', `"${'x'.repeat(100)}…" has 600000`],
  [BODY, '<!--'.repeat(500), 'input.body', '"<!--<!--'],
  [BODY, '<b>'.repeat(600), 'input.body', '"<b><b><b>'],
  [TAGS, 'Bär', 'input.tags', '"Bär"'],
  [AUTHOR, NOBODY, 'input.authorId', `"${NOBODY}"`],
  [AUTHOR, ids.cats, 'input.authorId', `"${ids.cats}", which is the id of a Tag`],
  [SLUG, 'cats and dogs', 'input.slug', '"cats and dogs"'],
  ['updateArticle(input: { id: $text, title: "T" }) { article { id } }', '7', 'input.id', '"7"'],
  ['createTag(input: { name: $text }) { tag { id } }', '\u3164', 'input.name', '"\\u3164"'],
  ['createTag(input: { name: "N", slug: $text }) { tag { id } }', 'cafe\u0301', 'input.slug', '"cafe\u0301"'],
  [user('displayName'), '\u2800', 'input.displayName', '"\\u2800"'],
  [user('email'), 'ann\u200b@x', 'input.email', '"ann\\u200b@x"'],
  [user('username'), 'Ann', 'input.username', '"Ann"'],
  [user('avatarUrl'), 'https://', 'input.avatarUrl', '"https://"'],
  [user('avatarUrl'), 'https://a\nb', 'input.avatarUrl', '"https://a\\nb"'],
  [user('avatarUrl'), `https://${LONG}`, 'input.avatarUrl', `"https://${'x'.repeat(92)}…" has 600008`],
  ['recordView(articleId: $text)', 'x', 'articleId', '"x"'],
  ['invalidateCache(tags: ["articles", $text]) { tags }', 'articels', 'tags', '"articels"'],
])('names the value and its place (%#)', async (mutation, text, field, shown) => {
  const client = mutation.startsWith('createArticle') && mutation !== AUTHOR ? ann : node.admin
  const type = /\b(id|authorId|articleId): \$text/.test(mutation) ? 'ID!' : 'String!'
  const { errors } = await client.send(`mutation ($text: ${type}) { ${mutation} }`, { text })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }])
  const [{ message } = { message: '' }] = errors
  expect(message).toContain(field)
  expect(message).toContain(shown)
  expect(message.length).toBeLessThan(500)
})

it.each([
  ['createArticle(input: { title: "T", body: "", slug: "anns-draft" }) { article { id } }', '"anns-draft"'],
  ['createTag(input: { name: "Cats" }) { tag { id } }', '"cats"'],
  [`updateUser(input: { id: "${ids.ann}", username: "bob" }) { user { id } }`, '"bob"'],
  [`updateUser(input: { id: "${ids.ann}", email: "BOB@example.com" }) { user { id } }`, '"BOB@example.com"'],
])('names what is taken: %s', async (mutation, taken) => {
  const client = mutation.startsWith('createArticle') ? ann : node.admin
  const { errors } = await client.send(`mutation { ${mutation} }`)
  expect(errors).toMatchObject([{ message: expect.stringContaining(taken) }])
})

it('names a few of many tags that there are not, and counts the others', async () => {
  const tags = Array.from({ length: 50 }, (_, index) => `none-${index}`)
  const query = `mutation ($tags: [String!]!) { setArticleTags(id: "${ids.published}", tags: $tags) { article { id } } }`
  const { errors } = await ann.send(query, { tags })
  const named = '"none-0", "none-1", "none-2", "none-3", "none-4" and 45 more'
  expect(errors.map(({ message }) => message)).toEqual([
    `tags must be slugs of tags; there is no tag with the slug ${named}.`,
  ])
})

it.each([
  ['both', '{ tag(id: "a", slug: "b") { id } }', 'Give either id or slug, not both id "a" and slug "b".'],
  ['neither', '{ user { id } }', 'Give either id or username: neither was given.'],
  [
    'two sizes',
    '{ tags(first: 3, last: 4) { totalCount } }',
    'Give either first or last, not both first 3 and last 4.',
  ],
  ['a size out of range', '{ users(last: 101) { totalCount } }', 'last must be from 1 to 100, not 101.'],
])('says of arguments what was given: %s', async (_what, query, message) => {
  const { errors } = await node.visitor.send(query)
  expect(errors.map((error) => error.message)).toEqual([message])
})

const WANTED = 'A DateTime must be ISO 8601 with a time zone, such as "2026-01-31T12:00:00Z", not'

it.each([
  ['2026-02-30', '"2026-02-30"'],
  ['2026-01-01', '"2026-01-01"'],
  ['\u200f2026', '"\\u200f2026"'],
  [20260101, '20260101'],
  [{ year: 2026 }, '{"year":2026}'],
  [['2026'], '["2026"]'],
  [false, 'false'],
  ['9'.repeat(5000), `"${'9'.repeat(100)}…"`],
])('shows a date that is none as it was sent: %j', async (value, shown) => {
  const query = 'query ($filter: ArticleFilter) { articles(filter: $filter) { totalCount } }'
  const { errors } = await node.visitor.send(query, { filter: { publishedAfter: value } })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  const [{ message } = { message: '' }] = errors
  expect(message).toContain(`${WANTED} ${shown}.`)
  if (shown.length < 100) expect(message).toContain('at "filter.publishedAfter"')
  expect(message.length).toBeLessThan(1100)
})

it.each(['"2026-02-30"', '20260101', '{year: 2026}', '["2026"]', 'TODAY', 'true'])(
  'shows a date that is none as the document has it, and where: %s',
  async (literal) => {
    const query = `{ articles(filter: { publishedAfter: ${literal} }) { totalCount } }`
    const { errors } = await node.visitor.send(query)
    expect(errors).toMatchObject([
      { message: `${WANTED} ${literal}.`, locations: [{ line: 1, column: query.indexOf(literal) + 1 }] },
    ])
  },
)

/** Every place in the schema that takes a text. */
function findPlaces(): readonly Place[] {
  const schema = buildASTSchema(parse(readSchema()))
  const found: Place[] = []
  for (const operation of ['query', 'mutation'] as const) {
    const root = operation === 'query' ? schema.getQueryType() : schema.getMutationType()
    for (const { name: field, args } of Object.values(root?.getFields() ?? {})) {
      const required = () => fitAll(field, args.filter(isRequiredArgument))
      for (const arg of args) {
        const type = getNamedType(arg.type)
        if (isText(type))
          found.push({ operation, field, path: arg.name, fill: (text) => ({ ...required(), ...at(arg, text) }) })
        if (!isInputObjectType(type)) continue
        const inner = Object.values(type.getFields())
        for (const input of inner.filter((it) => isText(getNamedType(it.type)))) {
          const fill = (text: unknown) => ({
            ...required(),
            [arg.name]: { ...fitAll(field, inner.filter(isRequiredInputField)), ...at(input, text) },
          })
          found.push({ operation, field, path: `${arg.name}.${input.name}`, fill })
        }
      }
    }
  }
  return found
}

function isText(type: unknown): boolean {
  return isScalarType(type) && ['String', 'ID'].includes(type.name)
}

function at({ name, type }: GraphQLArgument | GraphQLInputField, text: unknown) {
  return { [name]: isListType(getNullableType(type)) ? [text] : text }
}

/** What fits the places that must be filled. An admin's article needs an author. */
function fitAll(field: string, required: readonly (GraphQLArgument | GraphQLInputField)[]): Record<string, unknown> {
  const id = field.endsWith('Tag') ? ids.cats : field.endsWith('User') ? ids.ann : ids.published
  const fitting: Record<string, unknown> = { id, tags: ['cats'], email: 'new@example.com', username: 'new' }
  const fitted = required.map(({ name, type }) => [
    name,
    isInputObjectType(getNamedType(type)) ? {} : (fitting[name] ?? 'text'),
  ])
  const author = field === 'createArticle' && required.some(({ name }) => name === 'title') ? { authorId: ids.ann } : {}
  return { ...author, ...Object.fromEntries(fitted) }
}

async function send({ operation, field, fill }: Place, text: string) {
  const schema = buildASTSchema(parse(readSchema()))
  const root = operation === 'query' ? schema.getQueryType() : schema.getMutationType()
  const { args = [], type } = root?.getFields()[field] ?? {}
  const values = fill(text)
  const used = args.filter(({ name }) => name in values)
  const declared = used.map((arg) => `$${arg.name}: ${arg.type}`).join(', ')
  const given = used.map(({ name }) => `${name}: $${name}`).join(', ')
  const selection = type && isScalarType(getNamedType(type)) ? '' : '{ __typename }'
  const { errors } = await node.admin.send(`${operation} (${declared}) { ${field}(${given}) ${selection} }`, values)
  return errors
}
