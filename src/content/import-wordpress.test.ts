import { beforeEach, describe, expect, it } from '@jest/globals'
import { useContent } from '../../test/harness/use-content.ts'
import { cdata, item, xml } from '../../test/harness/wordpress-export.ts'

const content = await useContent()

beforeEach(() => content.clear())

describe('importContent', () => {
  it('imports a WordPress export, says what became of each item, and changes nothing the second time', async () => {
    await content.write('blog.xml', BLOG)
    const { report, outcomes } = await content.import({ file: 'blog.xml' })
    expect(report).toMatchObject({
      files: 1,
      articles: { created: 3 },
      users: { created: 2 },
      tags: { created: 2 },
      outcomes: { imported: 5, draft: 1, skipped: 1, 'not read': 2 },
    })
    expect(outcomes.map(({ outcome, why }) => [outcome, ...why].join(': '))).toEqual([
      'not read: is an item of the type attachment, not a post or a page',
      'skipped: title has 301 characters; at most 300 fit',
      'not read: is an item of the type nav_menu_item, not a post or a page',
      'imported',
      'imported',
      'imported',
      'imported',
      'draft: it has a password',
      'imported',
    ])
    expect(outcomes.flatMap(({ notes }) => notes)).toEqual(['not read of it: 2 comments'])
    const records = await content.exportRecords()
    expect(records).toContainEqual(
      expect.objectContaining({ username: 'ada', displayName: 'Ada L.', email: 'ada@example.com' }),
    )
    expect(records).toContainEqual(expect.objectContaining({ username: 'bo', email: 'bo@example.invalid' }))
    expect(records).toContainEqual(expect.objectContaining({ slug: 'food', name: 'Food', description: 'Eaten' }))
    const { id: _, ...salt } = records.find(({ slug }) => slug === 'salt') ?? {}
    expect(salt).toMatchObject({
      author: 'ada',
      tags: ['food', 'sea'],
      status: 'PUBLISHED',
      publishedAt: '2024-05-01T10:20:30.000000Z',
      body: '<p>One<br>\ntwo</p>\n<p>Three</p>',
    })
    expect(records.filter(({ status }) => status === 'DRAFT').map(({ slug }) => slug)).toEqual(['secret'])
    const before = await content.exportText()
    expect((await content.import({ file: 'blog.xml' })).report).toMatchObject({
      articles: { created: 0, updated: 0, unchanged: 3 },
      users: { created: 0, updated: 0 },
      tags: { created: 0, updated: 0, unchanged: 1 },
    })
    expect(await content.exportText()).toBe(before)
  })

  it('leaves the people that are there as they are', async () => {
    await content.write('ada.jsonl', '{"type":"user","username":"ada","email":"me@example.com","role":"ADMIN"}\n')
    await content.write('other.jsonl', '{"type":"user","username":"other","email":"ADA@example.com"}\n')
    await content.import()
    await content.write('blog.xml', BLOG.replace('<wp:author_login>ada<', '<wp:author_login>eve<'))
    const { notes } = await content.import({ file: 'blog.xml' })
    expect(notes).toContain("blog.xml the e-mail address of Ada L. is another user's, and is left out")
    const people = (await content.exportRecords()).filter(({ type }) => type === 'user')
    expect(people.map(({ username, email, role }) => [username, email, role])).toEqual([
      ['ada', 'me@example.com', 'ADMIN'],
      ['other', 'ADA@example.com', 'AUTHOR'],
      ['eve', 'eve@example.invalid', 'AUTHOR'],
      ['bo', 'bo@example.invalid', 'AUTHOR'],
    ])
  })

  it('reads an export only if it is named itself, and names it otherwise', async () => {
    await content.write('blog.xml', BLOG)
    await content.write('a.md', 'Text')
    expect((await content.import()).why('not read')).toEqual([
      'blog.xml:1 is XML: a WordPress export is read if it is named itself',
    ])
  })
})

const BLOG = xml(
  `<wp:author><wp:author_login>ada</wp:author_login><wp:author_email>ada@example.com</wp:author_email>
  <wp:author_display_name>${cdata('Ada L.')}</wp:author_display_name></wp:author>
  <wp:author><wp:author_login>bo</wp:author_login></wp:author>
  <wp:category><wp:category_nicename>food</wp:category_nicename><wp:cat_name>Food</wp:cat_name>
  <wp:category_description>Eaten</wp:category_description></wp:category>`,
  item({
    title: 'Salt',
    'dc:creator': cdata('ada'),
    'wp:post_name': 'salt',
    'wp:post_date_gmt': '2024-05-01 10:20:30',
    'content:encoded': cdata('One\ntwo\n\nThree'),
    more: `<category domain="category" nicename="food">${cdata('Food')}</category>
      <category domain="post_tag" nicename="sea">${cdata('Sea')}</category><wp:comment/><wp:comment/>`,
  }),
  item({ title: 'Photo', 'wp:post_type': 'attachment', 'wp:status': 'inherit' }),
  item({ title: 'Secret', 'dc:creator': cdata('ada'), 'wp:post_name': 'secret', 'wp:post_password': 'x' }),
  item({ title: 'x'.repeat(301), 'dc:creator': cdata('ada') }),
  item({ title: 'Menu', 'wp:post_type': 'nav_menu_item' }),
  item({ title: 'About', 'dc:creator': cdata('ada'), 'wp:post_type': 'page', 'wp:post_name': 'about' }),
)
