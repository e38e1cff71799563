import { beforeEach, expect, it } from '@jest/globals'
import { emptyContent, queryOnce } from '../harness/index.ts'
import { readMetric } from '../harness/read-metric.ts'
import { useDatabase, useNode } from '../harness/use.ts'
import { addContent, ids } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database })

beforeEach(async () => {
  await emptyContent(database.url)
  await addContent(database.url)
  await sql(`
    update users set bio = 'Writes.', avatar_url = 'https://example.com/a.png' where id = 1;
    update tags set description = 'Purr.' where id = 1;
    update articles set summary = 'In short.' where id = 1;
    insert into article_tags values (1, 2)`)
  await node.catchUp()
})

const article = `id: "${ids.published}"`
const user = `id: "${ids.ann}"`

it.each([
  [
    'an article with the title that it has',
    `updateArticle(input: { ${article}, title: "Published" }) { article { id } }`,
  ],
  [
    'an article with all that it has',
    `updateArticle(input: { ${article}, title: "Published", slug: "published", summary: "In short.", body: "A secretive fox.", expectedVersion: 2 }) { article { id } }`,
  ],
  ['an article with nothing', `updateArticle(input: { ${article} }) { article { id } }`],
  ['an article with null', `updateArticle(input: { ${article}, title: null, tags: null }) { article { id } }`],
  [
    'an article with the tags and the title that it has',
    `updateArticle(input: { ${article}, title: "Published", tags: ["cats", "dogs"] }) { article { id } }`,
  ],
  ['the tags of an article with the same', `setArticleTags(${article}, tags: ["cats", "dogs"]) { article { id } }`],
  ['… in another order', `setArticleTags(${article}, tags: ["dogs", "cats"]) { article { id } }`],
  ['… some of them twice', `setArticleTags(${article}, tags: ["dogs", "cats", "dogs"]) { article { id } }`],
  ['what is published to published', `publishArticle(${article}) { article { id } }`],
  ['a draft to a draft', `unpublishArticle(id: "${ids.annsDraft}") { article { id } }`],
  ['a tag with the name that it has', `updateTag(input: { id: "${ids.cats}", name: "Cats" }) { tag { id } }`],
  [
    'a tag with all that it has',
    `updateTag(input: { id: "${ids.cats}", name: "Cats", slug: "cats", description: "Purr." }) { tag { id } }`,
  ],
  ['a tag with nothing', `updateTag(input: { id: "${ids.cats}" }) { tag { id } }`],
  ['a user with the bio that they have', `updateUser(input: { ${user}, bio: "Writes." }) { user { id } }`],
  [
    'a user with all that they have',
    `updateUser(input: { ${user}, username: "ann", displayName: "Ann", email: "ann@example.com", bio: "Writes.", avatarUrl: "https://example.com/a.png", role: AUTHOR }) { user { id } }`,
  ],
  ['a user with nothing', `updateUser(input: { ${user} }) { user { id } }`],
  ['a user without a picture with none', `updateUser(input: { id: "${ids.bob}", avatarUrl: null }) { user { id } }`],
])('changes nothing if an update leaves %s', async (_what, mutation) => {
  await node.visitor.get(PAGE)
  const before = await state()
  const invalidated = await readMetric(node.url, 'stet_invalidations_total')
  await node.admin.get(`mutation { ${mutation} }`)
  expect(await state()).toEqual(before)
  expect(await readMetric(node.url, 'stet_invalidations_total')).toBe(invalidated)
  expect(await readMetric(node.url, 'stet_ledger_position')).toBe(before.position)
  const { headers } = await node.visitor.send(PAGE)
  expect(headers.get('x-cache')).toBe('HIT')
})

it.each([
  [
    'one of several fields',
    `updateArticle(input: { ${article}, title: "Published", body: "New." }) { article { id } }`,
  ],
  ['case alone', `updateArticle(input: { ${article}, title: "published" }) { article { id } }`],
  ['how an accent is composed', `updateTag(input: { id: "${ids.dogs}", name: "Dogs\u0301" }) { tag { id } }`],
  ['one tag of two', `setArticleTags(${article}, tags: ["dogs"]) { article { id } }`],
  ['a tag and no field', `updateArticle(input: { ${article}, title: "Published", tags: [] }) { article { id } }`],
  ['a picture to none', `updateUser(input: { ${user}, avatarUrl: null }) { user { id } }`],
  ['none to a picture', `updateUser(input: { id: "${ids.bob}", avatarUrl: "https://x" }) { user { id } }`],
])('changes a row, and leaves a record, if an update changes %s', async (_what, mutation) => {
  const before = await state()
  await node.admin.get(`mutation { ${mutation} }`)
  const after = await state()
  expect(after.position).toBeGreaterThan(before.position)
  expect(after.audited).toBe(before.audited + 1)
  expect(after.rows).not.toEqual(before.rows)
})

it.each([
  ['an article', 'updateArticle(input: { id: $id, title: "Published" }) { article { id } }', ids.published],
  ['the tags of one', 'setArticleTags(id: $id, tags: ["cats", "dogs"]) { article { id } }', ids.published],
  ['a user', 'updateUser(input: { id: $id, bio: "Writes." }) { user { id } }', ids.ann],
])('says that a caller may not change %s, also if nothing would change', async (_what, mutation, id) => {
  const query = `mutation ($id: ID!) { ${mutation} }`
  const bob = await node.author(2)
  expect((await bob.send(query, { id })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect((await node.visitor.send(query, { id })).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
})

it('says that the version is another, also if nothing would change', async () => {
  for (const rest of ['title: "Published"', 'tags: ["cats", "dogs"]', '']) {
    const mutation = `mutation { updateArticle(input: { ${article}, ${rest} expectedVersion: 1 }) { article { id } } }`
    expect((await node.admin.send(mutation)).errors).toMatchObject([{ extensions: { code: 'VERSION_CONFLICT' } }])
  }
})

const PAGE = `{
  articles { nodes { id title version updatedAt tags { name } author { displayName avatarUrl } } }
  tags { nodes { name description } }
  users { nodes { username bio } }
}`

/** All rows, how far the log has come, and how many audit records there are. */
async function state() {
  await node.catchUp()
  const [row] = await sql(`
    select (select max(position) from stet.log)::int as position,
           (select count(*) from audit)::int as audited,
           (select json_agg(articles order by id) from articles) as articles,
           (select json_agg(users order by id) from users) as users,
           (select json_agg(tags order by id) from tags) as tags,
           (select json_agg(article_tags order by article_id, tag_id) from article_tags) as pairs`)
  const { position, audited, ...rows } = row as { readonly position: number; readonly audited: number }
  return { position, audited, rows }
}

const sql = (text: string) => queryOnce(database.url, text)
