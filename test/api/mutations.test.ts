import { beforeEach, expect, it } from '@jest/globals'
import { toGlobalId } from '../../src/identity/global-id.ts'
import { type Answer, emptyContent, queryOnce } from '../harness/index.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database })
const ann = await node.author(ANN)

beforeEach(async () => {
  await emptyContent(database.url)
  await addContent(database.url)
  await node.catchUp()
})

it('leads an article through its life, and shows each change in its own answer and in every later one', async () => {
  const fields = 'id slug title summary body status tags { slug } version publishedAt author { username } viewCount'
  const step = async (mutation: string, variables = {}) => {
    const data = await ann.get<Record<string, { article: object }>>(mutation, variables)
    const [payload] = Object.values(data)
    const { article } = await ann.get<{ article: object }>(`{ article(slug: "my-title") { ${fields} } }`)
    expect(article).toEqual(payload?.article)
    return payload?.article as Record<string, unknown>
  }
  const created = await step(
    `mutation { createArticle(input: { title: "My title", body: "Text", tags: ["dogs", "cats", "dogs"] }) { article { ${fields} } } }`,
  )
  expect(created).toMatchObject({
    slug: 'my-title',
    status: 'DRAFT',
    summary: '',
    version: 1,
    publishedAt: null,
    viewCount: 0,
    author: { username: 'ann' },
    tags: [{ slug: 'cats' }, { slug: 'dogs' }],
  })
  const id = { id: created.id }
  const published = await step(`mutation ($id: ID!) { publishArticle(id: $id) { article { ${fields} } } }`, id)
  expect(published).toMatchObject({
    status: 'PUBLISHED',
    version: 2,
    publishedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  })
  const again = await step(`mutation ($id: ID!) { publishArticle(id: $id) { article { ${fields} } } }`, id)
  expect(again).toEqual(published)
  const updated = await step(
    `mutation ($id: ID!) { updateArticle(input: { id: $id, title: "Changed", tags: ["dogs"], summary: null, expectedVersion: 2 }) { article { ${fields} } } }`,
    id,
  )
  expect(updated).toEqual({ ...published, title: 'Changed', tags: [{ slug: 'dogs' }], version: 3 })
  const tagged = await step(`mutation ($id: ID!) { setArticleTags(id: $id, tags: []) { article { ${fields} } } }`, id)
  expect(tagged).toEqual({ ...updated, tags: [], version: 4 })
  const draft = await step(`mutation ($id: ID!) { unpublishArticle(id: $id) { article { ${fields} } } }`, id)
  expect(draft).toEqual({ ...tagged, status: 'DRAFT', publishedAt: null, version: 5 })
  expect(await ann.get('mutation ($id: ID!) { deleteArticle(id: $id) { deletedId } }', id)).toEqual({
    deleteArticle: { deletedId: created.id },
  })
  expect(await ann.get('{ article(slug: "my-title") { id } }')).toEqual({ article: null })
})

it('shows each of several mutations of one request what those before it wrote', async () => {
  const data = await ann
    .get(`mutation {
    a: updateArticle(input: { id: "${ids.published}", title: "One" }) { article { title version } }
    b: updateArticle(input: { id: "${ids.published}", title: "Two" }) { article { title version } }
    c: updateArticle(input: { id: "${ids.bobsPublished}", title: "Not mine" }) { article { title } }
  }`)
    .catch((error: Error) => error.message)
  expect(data).toBe('Only its author and admins may change an article.')
  const { data: kept } = await ann.send(`mutation {
    a: updateArticle(input: { id: "${ids.published}", title: "Three" }) { article { title version } }
    c: updateArticle(input: { id: "${ids.bobsPublished}", title: "Not mine" }) { article { title } }
    b: updateArticle(input: { id: "${ids.published}", title: "Four" }) { article { title version } }
  }`)
  expect(kept).toEqual({
    a: { article: { title: 'Three', version: 4 } },
    b: { article: { title: 'Four', version: 5 } },
    c: null,
  })
})

it('makes slugs from titles, numbered where they are taken', async () => {
  const slugs = []
  for (const title of ['My title', 'My Title!', 'my title', 'Published', 'Ωμέγα', '???']) {
    slugs.push(await createdSlug(await create({ title })))
  }
  expect(slugs.slice(0, 4)).toEqual(['my-title', 'my-title-2', 'my-title-3', 'published-2'])
  expect(new Set(slugs).size).toBe(6)
})

it('numbers the slugs of articles with one title that are created at once', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => create({ title: 'At once' })))
  const slugs = await Promise.all(answers.map(createdSlug))
  expect(slugs.sort()).toEqual(['at-once', ...Array.from({ length: 11 }, (_, index) => `at-once-${index + 2}`)].sort())
})

it('lets the long titles of several articles begin alike', async () => {
  const title = `${'long '.repeat(59)}title`
  const slugs = [await createdSlug(await create({ title })), await createdSlug(await create({ title }))]
  expect(slugs[1]).toBe(`${slugs[0]}-2`)
})

it.each([
  ['createArticle(input: { title: "X", body: "", slug: "anns-draft" }) { article { id } }', 'SLUG_TAKEN', 'input.slug'],
  [
    `updateArticle(input: { id: "${ids.published}", slug: "bobs-draft" }) { article { id } }`,
    'SLUG_TAKEN',
    'input.slug',
  ],
  ['createTag(input: { name: "Cats" }) { tag { id } }', 'SLUG_TAKEN', 'input.name'],
  ['createTag(input: { name: "Felines", slug: "cats" }) { tag { id } }', 'SLUG_TAKEN', 'input.slug'],
  [`updateTag(input: { id: "${ids.cats}", slug: "dogs" }) { tag { id } }`, 'SLUG_TAKEN', 'input.slug'],
  [user('username: "ann", displayName: "A", email: "a@b"'), 'USERNAME_TAKEN', 'input.username'],
  [user('username: "new", displayName: "A", email: "ANN@example.com"'), 'EMAIL_TAKEN', 'input.email'],
  [`updateUser(input: { id: "${ids.ann}", username: "bob" }) { user { id } }`, 'USERNAME_TAKEN', 'input.username'],
  [`updateUser(input: { id: "${ids.ann}", email: "bob@example.com" }) { user { id } }`, 'EMAIL_TAKEN', 'input.email'],
  [`deleteUser(id: "${ids.ann}") { deletedId }`, 'USER_HAS_ARTICLES', 'id'],
  [`updateArticle(input: { id: "${toGlobalId('Article', 99)}" }) { article { id } }`, 'NOT_FOUND', 'input.id'],
  [`publishArticle(id: "${toGlobalId('Article', 99)}") { article { id } }`, 'NOT_FOUND', 'id'],
  [`deleteArticle(id: "${toGlobalId('Article', 99)}") { deletedId }`, 'NOT_FOUND', 'id'],
  [`updateTag(input: { id: "${toGlobalId('Tag', 99)}", name: "X" }) { tag { id } }`, 'NOT_FOUND', 'input.id'],
  [`deleteTag(id: "${toGlobalId('Tag', 99)}") { deletedId }`, 'NOT_FOUND', 'id'],
  [`updateUser(input: { id: "${toGlobalId('User', 99)}", bio: "" }) { user { id } }`, 'NOT_FOUND', 'input.id'],
  [`deleteUser(id: "${toGlobalId('User', 99)}") { deletedId }`, 'NOT_FOUND', 'id'],
  [`deleteTag(id: "${ids.ann}") { deletedId }`, 'BAD_USER_INPUT', 'id'],
  [`updateArticle(input: { id: "${ids.cats}" }) { article { id } }`, 'BAD_USER_INPUT', 'input.id'],
  [`setArticleTags(id: "${ids.published}", tags: ["cats", "none"]) { article { id } }`, 'BAD_USER_INPUT', 'tags'],
  [
    `createArticle(input: { title: "X", body: "", tags: ["none"], authorId: "${ids.ann}" }) { article { id } }`,
    'BAD_USER_INPUT',
    'input.tags',
  ],
  ['createArticle(input: { title: "X", body: "" }) { article { id } }', 'BAD_USER_INPUT', 'input.authorId'],
  [
    `updateArticle(input: { id: "${ids.published}", expectedVersion: 2 }) { article { id } }`,
    'VERSION_CONFLICT',
    'input.expectedVersion',
  ],
])('says what is wrong with %s', async (mutation, code, field) => {
  const client = mutation.includes('slug: "anns') ? ann : node.admin
  const { data, errors } = await client.send<object>(`mutation { ${mutation} }`)
  expect(errors).toMatchObject([{ extensions: { code, field } }])
  expect(Object.values(data)).toEqual([null])
})

/** What can't be seen. */
const UNSEEN = [
  '\u200b',
  '\u2060\u00ad',
  ' \u202e\u2066',
  '\u3164\u115f',
  '\u2800',
  '\ufe0f',
  '\u{e0067}',
  '\u0301',
  '\ufeff',
]
const ARTICLE = `createArticle(input: { title: $text, body: "" }) { article { text: title } }`
const TEXTS: [what: string, mutation: string, field: string, fits: string[], doesNot: string[]][] = [
  [
    'a title',
    ARTICLE,
    'input.title',
    ['x', 'x'.repeat(300), '\u{1f98a}'.repeat(300)],
    ['', ' ', '\n\t', 'x'.repeat(301), '\u{1f98a}'.repeat(301), ...UNSEEN],
  ],
  [
    'a slug',
    'createArticle(input: { title: "x", body: "", slug: $text }) { article { text: slug } }',
    'input.slug',
    ['a', 'a-1', 'x'.repeat(200)],
    ['', 'A', 'a_b', '-a', 'a--b', 'é', 'a\n', 'x'.repeat(201)],
  ],
  [
    'a summary',
    'createArticle(input: { title: "x", body: "", summary: $text }) { article { text: summary } }',
    'input.summary',
    ['', 'x'.repeat(2000)],
    ['x'.repeat(2001)],
  ],
  [
    'a body',
    'createArticle(input: { title: "x", body: $text }) { article { text: body } }',
    'input.body',
    ['', 'word '.repeat(100_000)],
    ['x'.repeat(500_001)],
  ],
  [
    "a tag's name",
    'createTag(input: { name: $text }) { tag { text: name } }',
    'input.name',
    ['x'.repeat(100)],
    ['', ' ', 'x'.repeat(101), ...UNSEEN],
  ],
  [
    "a tag's slug",
    'createTag(input: { name: "New", slug: $text }) { tag { text: slug } }',
    'input.slug',
    ['x'.repeat(100)],
    ['', 'X', 'x'.repeat(101)],
  ],
  [
    "a tag's description",
    `updateTag(input: { id: "${ids.cats}", description: $text }) { tag { text: description } }`,
    'input.description',
    ['', 'x'.repeat(2000)],
    ['x'.repeat(2001)],
  ],
  [
    'a username',
    `updateUser(input: { id: "${ids.ann}", username: $text }) { user { text: username } }`,
    'input.username',
    ['a', '0_-', 'x'.repeat(39)],
    ['', '_a', '-a', 'Ann', 'a b', 'a\n', 'x'.repeat(40)],
  ],
  [
    'a display name',
    `updateUser(input: { id: "${ids.ann}", displayName: $text }) { user { text: displayName } }`,
    'input.displayName',
    ['Ann', 'x'.repeat(100)],
    ['', ' ', 'x'.repeat(101), ...UNSEEN],
  ],
  [
    'an e-mail address',
    `updateUser(input: { id: "${ids.ann}", email: $text }) { user { text: email } }`,
    'input.email',
    ['a@b', `${'x'.repeat(252)}@b`],
    ['', 'a', '@', 'a@', 'a@b@c', 'a b@c', 'a\u0085@b', 'a\u00a0@b', 'a\u200b@b', `${'x'.repeat(253)}@b`],
  ],
  [
    'a bio',
    `updateUser(input: { id: "${ids.ann}", bio: $text }) { user { text: bio } }`,
    'input.bio',
    ['', 'x'.repeat(2000)],
    ['x'.repeat(2001)],
  ],
  [
    'an avatar',
    `updateUser(input: { id: "${ids.ann}", avatarUrl: $text }) { user { text: avatarUrl } }`,
    'input.avatarUrl',
    ['https://example.com/a.png', 'http://x'],
    [
      '',
      'https://',
      'https:///x',
      'https://x/\ny',
      'https://a@x',
      'javascript:alert(1)',
      'HTTPS://x',
      ' https://x',
      'https:',
      `https://${'x'.repeat(2000)}`,
    ],
  ],
]

it.each(TEXTS)('bounds %s, and refuses what cannot be stored', async (_what, mutation, field, fits, doesNot) => {
  const client = mutation.startsWith('createArticle') ? ann : node.admin
  const query = `mutation ($text: String!) { result: ${mutation} }`
  for (const text of fits) {
    const { result } = await client.get<{ result: Record<string, { text: string }> }>(query, { text })
    expect(Object.values(result)).toEqual([{ text }])
  }
  for (const text of [...doesNot, 'nul \0', 'half \ud83e', '\udd8a pair']) {
    const { errors } = await client.send(query, { text })
    expect([text.slice(0, 50), errors]).toMatchObject([
      text.slice(0, 50),
      [{ extensions: { code: 'BAD_USER_INPUT', field } }],
    ])
    expect(JSON.stringify(errors).length).toBeLessThan(1000)
  }
})

it('bounds how many tags an article has, and what they are', async () => {
  const query = `mutation ($tags: [String!]!) { setArticleTags(id: "${ids.published}", tags: $tags) { article { id } } }`
  const many = (length: number) => Array.from({ length }, (_, index) => `tag-${index}`)
  for (const tags of [many(9000), ['\0'], ['x'.repeat(1000)]]) {
    const { errors } = await ann.send(query, { tags })
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'tags' } }])
  }
  const { errors } = await ann.send(query, { tags: many(70_000) })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'variables' } }])
})

it('takes null for absent in an update, but for the avatar, which it removes', async () => {
  const update = `mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { displayName bio avatarUrl } } }`
  await ann.get(update, { input: { id: ids.ann, bio: 'Writes.', avatarUrl: 'https://example.com/a.png' } })
  const kept = await ann.get(update, { input: { id: ids.ann, displayName: null, bio: null } })
  expect(kept).toEqual({
    updateUser: { user: { displayName: 'Ann', bio: 'Writes.', avatarUrl: 'https://example.com/a.png' } },
  })
  const removed = await ann.get(update, { input: { id: ids.ann, avatarUrl: null } })
  expect(removed).toMatchObject({ updateUser: { user: { bio: 'Writes.', avatarUrl: null } } })
})

it('lets one of several updates of a version through', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      ann.send<{ updateArticle: { article: { version: number } } | null }>(
        `mutation { updateArticle(input: { id: "${ids.published}", title: "By ${index}", expectedVersion: 1 }) { article { version } } }`,
      ),
    ),
  )
  const [done, ...more] = answers.filter(({ errors }) => errors.length === 0)
  expect(more).toEqual([])
  expect(done?.data.updateArticle?.article).toEqual({ version: 2 })
  const codes = answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code))
  expect(codes).toEqual(Array.from({ length: 7 }, () => 'VERSION_CONFLICT'))
})

it('counts new tags as an update, so that they are not lost to one of the same version', async () => {
  const set = (tags: string, version: number) =>
    ann.send(
      `mutation { updateArticle(input: { id: "${ids.published}", tags: ${tags}, expectedVersion: ${version} }) { article { version } } }`,
    )
  expect((await set('["dogs"]', 1)).errors).toEqual([])
  expect((await set('["cats"]', 1)).errors).toMatchObject([{ extensions: { code: 'VERSION_CONFLICT' } }])
})

it('leaves an article with the tags of one of those who set them at once', async () => {
  await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      ann.get(
        `mutation { setArticleTags(id: "${ids.published}", tags: ["${index % 2 ? 'cats' : 'dogs'}"]) { article { id } } }`,
      ),
    ),
  )
  const { article } = await node.visitor.get<{ article: { tags: unknown[] } }>(
    '{ article(slug: "published") { tags { slug } } }',
  )
  expect(article.tags).toHaveLength(1)
})

it('stays in order while tags, articles and users are deleted under those who use them', async () => {
  const allowed = new Set(['BAD_USER_INPUT', 'NOT_FOUND', 'USER_HAS_ARTICLES', 'SLUG_TAKEN'])
  for (let round = 0; round < 8; round++) {
    const { createTag } = await node.admin.get<{ createTag: { tag: { id: string } } }>(
      'mutation { createTag(input: { name: "Brief" }) { tag { id } } }',
    )
    const { createUser } = await node.admin.get<{ createUser: { user: { id: string } } }>(
      `mutation { ${user('username: "brief", displayName: "B", email: "brief@example.com"')} }`,
    )
    const { createArticle } = await ann.get<{ createArticle: { article: { id: string } } }>(
      'mutation { createArticle(input: { title: "Brief", body: "" }) { article { id } } }',
    )
    const [tag, author, article] = [createTag.tag.id, createUser.user.id, createArticle.article.id]
    const answers = await Promise.all(
      [
        `setArticleTags(id: "${ids.published}", tags: ["brief", "cats"]) { article { tags { slug } } }`,
        `createArticle(input: { title: "Brief", body: "", tags: ["brief"], authorId: "${author}" }) { article { id author { id } } }`,
        `deleteTag(id: "${tag}") { deletedId }`,
        `deleteUser(id: "${author}") { deletedId }`,
        `updateArticle(input: { id: "${article}", title: "Changed", tags: ["brief"] }) { article { title tags { slug } } }`,
        `deleteArticle(id: "${article}") { deletedId }`,
        `publishArticle(id: "${article}") { article { status } }`,
      ].map((mutation) => node.admin.send(`mutation { ${mutation} }`)),
    )
    for (const { errors } of answers) for (const { extensions } of errors) expect(allowed).toContain(extensions.code)
    await sql(`delete from articles where author_id > 2; delete from users where id > 2`)
  }
})

it('deletes a tag from its articles, and a user who has none', async () => {
  await node.admin.get(`mutation { deleteTag(id: "${ids.cats}") { deletedId } }`)
  const { article, articles } = await node.visitor.get(
    '{ article(slug: "published") { tags { slug } } articles(filter: { tag: "cats" }) { totalCount } }',
  )
  expect({ article, articles }).toEqual({ article: { tags: [] }, articles: { totalCount: 0 } })
  for (const id of [ids.bobsDraft, ids.bobsPublished])
    await node.admin.get(`mutation { deleteArticle(id: "${id}") { deletedId } }`)
  await node.admin.get(`mutation { deleteUser(id: "${ids.bob}") { deletedId } }`)
  expect(await node.visitor.get('{ user(username: "bob") { id } users { totalCount } }')).toEqual({
    user: null,
    users: { totalCount: 1 },
  })
})

it('finds at once what was just created under a name that was known not to exist', async () => {
  const lookup = '{ article(slug: "soon") { title } tag(slug: "soon") { name } user(username: "soon") { displayName } }'
  expect(await node.visitor.get(lookup)).toEqual({ article: null, tag: null, user: null })
  await node.admin.get(`mutation {
    createArticle(input: { title: "Soon", body: "", status: PUBLISHED, authorId: "${ids.ann}" }) { article { id } }
    createTag(input: { name: "Soon" }) { tag { id } }
    ${user('username: "soon", displayName: "Soon", email: "soon@example.com"')}
  }`)
  expect(await node.visitor.get(lookup)).toEqual({
    article: { title: 'Soon' },
    tag: { name: 'Soon' },
    user: { displayName: 'Soon' },
  })
})

it('renders Markdown, and lets nothing through that could run', async () => {
  const body = [
    '# Hi *you*\n\n| a | b |\n|:-:|---|\n| 1 | 2 |\n\n```js\nx\n```\n\nhttps://example.com',
    '<script>alert(1)</script><img src=x onerror=alert(1)><iframe src="https://x"></iframe><style>a{}</style>',
    '[a](javascript:alert(1)) <a href="JaVaScRiPt:alert(1)">b</a> <a href="data:text/html,x">c</a> ![d](data:image/svg+xml,x)',
    '<p onclick="x" style="position:fixed" class="y" id="z">e</p><svg onload=alert(1)><math><mi//xlink:href="data:x,<script>">',
    '<form action="/x"><input name="q"></form><object data="x"></object><base href="https://x"><code class="evil language-js">f</code>',
  ].join('\n\n')
  const { createArticle } = await ann.get<{ createArticle: { article: { bodyHtml: string } } }>(
    'mutation ($body: String!) { createArticle(input: { title: "Markup", body: $body }) { article { bodyHtml } } }',
    { body },
  )
  const html = createArticle.article.bodyHtml
  expect(html).toContain('<h1>Hi <em>you</em></h1>')
  expect(html).toContain('<td style="text-align:center">1</td>')
  expect(html).toContain('<code class="language-js">x')
  expect(html).toContain('<a href="https://example.com" rel="nofollow noopener">https://example.com</a>')
  expect(html).toContain('<code class="language-js">f</code>')
  for (const tag of html.match(/<[^>]*>/g) ?? []) {
    expect(tag).not.toMatch(
      /script|onerror|onclick|onload|iframe|javascript:|data:|position|svg|math|form|input|object|base|id=|evil/i,
    )
  }
})

function user(fields: string): string {
  return `createUser(input: { ${fields} }) { user { id } }`
}

type Created = Answer<{ createArticle: { article: { slug: string } } }>

const create = (variables: { title: string }): Promise<Created> =>
  ann.send(
    'mutation ($title: String!) { createArticle(input: { title: $title, body: "" }) { article { slug } } }',
    variables,
  )

async function createdSlug({ data, errors }: Created): Promise<string> {
  expect(errors).toEqual([])
  return data.createArticle.article.slug
}

const sql = (text: string) => queryOnce(database.url, text)
