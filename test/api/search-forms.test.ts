import { expect, it } from '@jest/globals'
import { currentToken, queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
const ann = await node.author(ANN)

/** A word in several forms that mean the same. The first is the form NFC. */
const WORDS: readonly (readonly [what: string, ...forms: string[]])[] = [
  ['an accent', 'caf\u00e9', 'cafe\u0301'],
  ['two accents, in either order', 'm\u1ec7n', 'me\u0323\u0302n', 'm\u1eb9\u0302n', 'me\u0302\u0323n'],
  ['a ring, and the unit of length', '\u00c5ngstr\u00f6m', 'A\u030angstro\u0308m', '\u212bngstr\u00f6m'],
  ['Hangul', '\ud55c\uae00', '\u1112\u1161\u11ab\u1100\u1173\u11af'],
  ['a ligature', 'fine', '\ufb01ne'],
  ['full width', 'wide', '\uff57\uff49\uff44\uff45', '\uff37\uff29\uff24\uff25'],
  ['kana of half width', '\u30ac\u30b9', '\uff76\uff9e\uff7d', '\u30ab\u3099\u30b9'],
]
const pairs = WORDS.flatMap(([what, ...forms]) =>
  forms.flatMap((written) => forms.map((asked) => [what, written, asked] as const)),
)

it.each(pairs)('finds a word with %s: %j by %j', async (_what, written, asked) => {
  await sql('delete from articles where id > 4')
  await ann.get(
    `mutation ($title: String!, $body: String!) {
      a: createArticle(input: { title: $title, body: "", status: PUBLISHED }) { article { id } }
      b: createArticle(input: { title: "In the body", body: $body, status: PUBLISHED }) { article { id } }
    }`,
    { title: `Of ${written} and others`, body: `# One\n\nAnd **${written}**.` },
  )
  await sql(
    `insert into articles (slug, title, summary, body, author_id, status, published_at)
       values ('by-sql', 'By SQL', $1, '', 1, 'PUBLISHED', now()), ('updated', 'Updated', '', '', 1, 'PUBLISHED', now())`,
    [written],
  )
  await sql(`update articles set body = $1 where slug = 'updated'`, [`The ${written}`])
  for (const search of [asked, `"${asked}"`, `${asked} -nothing`]) expect(await find(search)).toBe(4)
  expect(await find(`-${asked} published`)).toBe(2)
})

it('shares one entry between the forms of a search', async () => {
  await find('cr\u00e8me')
  const { headers } = await node.visitor.send(SEARCH, { search: ' cre\u0300me ' })
  expect(headers.get('x-cache')).toBe('HIT')
})

it('counts the minus signs of a search in whatever form', async () => {
  for (const minus of ['-', '\uff0d', '\ufe63']) {
    const { errors } = await node.visitor.send(SEARCH, { search: `a ${minus.repeat(40)}b` })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'filter.search' } }])
  }
})

it.each([
  ['letters that become eighteen', '\ufdfa', 300, 2000, 500_000],
  ['letters that become three', '\u2100', 300, 2000, 400_000],
  ['accents', 'e\u0301\u0323 ', 75, 500, 125_000],
])('takes the longest texts, made of %s', async (_what, unit, title, summary, body) => {
  const query = `mutation ($title: String!, $summary: String!, $body: String!) {
    createArticle(input: { title: $title, summary: $summary, body: $body, slug: "long" }) { article { version } }
  }`
  await ann.get(query, { title: unit.repeat(title), summary: unit.repeat(summary), body: unit.repeat(body) })
  await sql(`delete from articles where slug = 'long'`)
})

it('refuses words that take long to read in whatever form', async () => {
  const query = 'mutation ($body: String!) { createArticle(input: { title: "T", body: $body }) { article { id } } }'
  for (const body of ['a_'.repeat(5000), '\uff41\uff3f'.repeat(5000), '\u2026/'.repeat(5000)]) {
    const { errors } = await ann.send(query, { body })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'input.body' } }])
  }
})

it('makes one slug of a name, however it is composed', async () => {
  const create = 'mutation ($name: String!) { createTag(input: { name: $name }) { tag { slug } } }'
  for (const [, ...forms] of WORDS.slice(0, 4)) {
    for (const [index, name] of forms.entries()) {
      const { errors } = await node.admin.send(create, { name })
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(index === 0 ? [] : ['SLUG_TAKEN'])
    }
  }
  expect(await node.visitor.get('{ tag(slug: "cafe") { name } }')).toEqual({ tag: { name: 'caf\u00e9' } })
})

it('takes an e-mail address for the same, however it is composed', async () => {
  const create = `mutation ($email: String!, $username: String!) {
    createUser(input: { username: $username, displayName: "J", email: $email }) { user { email } }
  }`
  const { createUser } = await node.admin.get<{ createUser: object }>(create, {
    username: 'jose',
    email: 'jose\u0301@example.com',
  })
  expect(createUser).toEqual({ user: { email: 'jos\u00e9@example.com' } })
  for (const email of ['jos\u00e9@example.com', 'jose\u0301@example.com', 'Jose\u0301@EXAMPLE.com']) {
    const { errors } = await node.admin.send(create, { username: 'other', email })
    expect(errors).toMatchObject([{ extensions: { code: 'EMAIL_TAKEN' } }])
  }
  const update = `mutation ($email: String!) { updateUser(input: { id: "${ids.ann}", email: $email }) { user { email } } }`
  expect((await node.admin.send(update, { email: 'jose\u0301@example.com' })).errors).toMatchObject([
    { extensions: { code: 'EMAIL_TAKEN' } },
  ])
  const long = await node.admin.send(update, { email: `${'\u0958'.repeat(250)}@b` })
  expect(long.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'input.email' } }])
})

it('finds nobody by a name that no slug and no username can be', async () => {
  for (const name of ['caf\u00e9', 'cafe\u0301', '\uff43\uff41\uff54\uff53']) {
    const lookup = `query ($name: String!) {
      tag(slug: $name) { id } user(username: $name) { id } article(slug: $name) { id }
      a: articles(filter: { tag: $name }) { totalCount } b: articles(filter: { author: $name }) { totalCount }
    }`
    const none = { tag: null, user: null, article: null, a: { totalCount: 0 }, b: { totalCount: 0 } }
    expect(await node.visitor.get(lookup, { name })).toEqual(none)
  }
})

const SEARCH = 'query ($search: String) { articles(filter: { search: $search }) { totalCount nodes { id } } }'

async function find(search: string): Promise<number> {
  const asOf = await currentToken(database.url)
  const { articles } = await node.visitor.get<{ articles: { totalCount: number; nodes: unknown[] } }>(
    SEARCH,
    { search },
    { 'stet-as-of': asOf },
  )
  expect(articles.nodes).toHaveLength(articles.totalCount)
  return articles.totalCount
}

const sql = (text: string, values: unknown[] = []) => queryOnce(database.url, text, values)
