import { describe, expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'
import { parseMarkdown } from './parse-markdown.ts'

describe('what its author holds back', () => {
  it.each([
    ['draft: true', 'draft is true'],
    ['draft: yes', 'draft is true'],
    ['private: true', 'private is true'],
    ['published: false', 'published is false'],
    ['permalink: false', 'permalink is false'],
    ['status: pending', 'status is pending'],
    ['visibility: private', 'visibility is private'],
    ['status: "\\u200B"', 'status is nothing that can be seen'],
    ['date: 2099-05-05', 'date is in the future'],
    ['date: 2020-01-01\npublishDate: 2026-11-29T12:00:01Z', 'publishDate is in the future'],
    ['published: 2099-01-01', 'published is in the future'],
    ["pubDate: 'Jul 08 2099'", 'pubDate is in the future'],
    ['expiryDate: 2026-11-29T12:00:00Z', 'expiryDate is in the past'],
    ['unpublishdate: 2001-01-01', 'unpublishDate is in the past'],
    ['isDraft: true', 'isDraft is true'],
    ['headless: true', 'headless is true'],
    ['eleventyExcludeFromCollections: true', 'eleventyExcludeFromCollections is true'],
    ['publish: false', 'publish is false'],
    ['visible: no', 'visible is false'],
    ['build: { render: never }', 'build.render is never'],
    ['_build: { list: false }', 'build.list is false'],
    ['date: 4102444800', 'date is in the future'],
    ['publishDate: 4102444800000', 'publishDate is in the future'],
    ['date: 2026-11-29 12:30 -0000', 'date is in the future'],
    ['date: 2026-11-29T23:00:00+10:30', 'date is in the future'],
    ['redirect_to: /other/', 'it redirects: redirect_to is "/other/"'],
    ['layout: redirect', 'it redirects: layout is redirect'],
    ['draft: true\ndate: 2099-05-05', 'draft is true; date is in the future'],
    ['is_draft: true', 'isDraft is true'],
    ['is-draft: y', 'isDraft is true'],
    ['saveAsDraft: true', 'saveAsDraft is true'],
    ['ignorePost: 1', 'ignorePost is true'],
    ['isPrivate: true', 'isPrivate is true'],
    ['email_only: true', 'emailOnly is true'],
    ['is_published: false', 'isPublished is false'],
    ['dg-publish: false', 'dgPublish is false'],
    ['publish: 0', 'publish is false'],
    ['public: n', 'public is false'],
    ['enabled: false', 'enabled is false'],
    ['publish: 2099-01-01', 'publish is in the future'],
    ['created: 2099-01-01', 'created is in the future'],
    ['published_date: 2099-01-01', 'publishedDate is in the future'],
    ['Publish Date: 2099-01-01', 'publishDate is in the future'],
    ['date_published: 2099-01-01', 'datePublished is in the future'],
    ['scheduled: 2099-01-01', 'scheduled is in the future'],
    ['scheduled: true', 'scheduled is true'],
    ['expiry_date: 2001-01-01', 'expiryDate is in the past'],
    ['expires: 2001-01-01', 'expires is in the past'],
    ['unpublish_at: 2001-01-01', 'unpublishAt is in the past'],
    ['post_status: draft', 'postStatus is draft'],
    ['state: Draft', 'state is Draft'],
    ['access: members', 'access is members'],
    ['password: hunter2', 'it has a password'],
    ['params: { private: true }', 'params.private is true'],
    ['extra: { draft: true }', 'extra.draft is true'],
    ['meta:\n  published: no', 'meta.published is false'],
    [
      'extra: { hidden: sidebar }',
      `extra has a flag that can't be read: hidden should be true or false, not "sidebar"`,
    ],
  ])('is a draft, and says why: %j', (yaml, reason) => {
    const { article, heldBack } = parseArticle('a.md', `---\n${yaml}\n---\nText`)
    expect([article.status, article.publishedAt, heldBack.join('; ')]).toEqual(['DRAFT', undefined, reason])
  })

  it.each([
    ['_drafts/a.md', 'it is in _drafts'],
    ['blog/_drafts/a/b.md', 'it is in _drafts'],
    ['_hidden.md', 'its name begins with _'],
    ['_posts/2099-01-02-a.md', 'the date in its name is in the future'],
    ['posts/drafts/a.md', 'it is in drafts'],
    ['docs/_partials/deep/a.mdx', 'it is in _partials'],
    ['_includes/a.md', 'it is in _includes'],
    ['posts/a.draft.md', 'its name ends in .draft'],
  ])('is a draft by its path: %s', (file, reason) => {
    const { article, heldBack } = parseArticle(file, 'Text')
    expect([article.status, heldBack]).toEqual(['DRAFT', [reason]])
  })

  it.each([
    ['/home/ann/site/_drafts', 'it is in _drafts'],
    ['/home/ann/_drafts/2026', 'it is in _drafts'],
    ['/home/ann/site/drafts', 'it is in drafts'],
    ['/home/ann/drafts/site', undefined],
    ['/home/ann/site/_recipes', undefined],
    ['/home/ann/site/_posts', undefined],
  ])('is a draft by the folder that is imported: %s', (root, reason) => {
    const parsed = parseMarkdown({ file: 'a.md', root, text: 'Text', author: 'Ann', now: Date.now() })
    expect(parsed).toMatchObject({ heldBack: reason === undefined ? [] : [reason] })
  })

  it.each([
    'draft: false\nprivate: no',
    'published: true',
    'published: 2024-01-01',
    'status: Published',
    'publishDate: 2026-11-29T13:00:00+01:00',
    'expiryDate: 2099-01-01',
    'permalink: /a/',
    'build: { render: always, list: always }',
    'redirect_from: /old/\naliases: [/older/]',
    'redirect_to: false',
    'publish: true\npublic: true',
    'date: 2026-11-29T22:00:00+10:30',
    'expiryDate: 0001-01-01T00:00:00Z',
    'date: Last Modified',
    'draft: false\nDraft: "false"',
    'state: California',
    'expires: 30',
    'password: false',
    'params: { private: false, status: evergreen }',
    'created: a while ago\ndate: 2024-01-01',
  ])('is public with %j', (yaml) => {
    const { article, heldBack } = parseArticle('a.md', `---\n${yaml}\n---\nText`)
    expect([article.status, heldBack]).toEqual(['PUBLISHED', []])
  })

  it.each(['publishDate: soon', 'expiryDate: maybe', 'date: -0044-03-15', 'published: sometime', 'draft: 2'])(
    'is left out if nobody can tell: %j',
    (yaml) => {
      const [name = '', value = ''] = yaml.split(': ')
      expect(() => parse('a.md', `---\n${yaml}\n---\nText`)).toThrow(
        expect.objectContaining({ line: 2, message: expect.stringMatching(new RegExp(`^${name} .*${value}`)) }),
      )
    },
  )

  it.each([
    ['---\ndraft: true\nDraft: false\n---\nText', 2, 'draft and Draft are one field, with two values'],
    [
      '---\npub_date: 2024-01-01\npubDate: 2099-01-01\n---\nText',
      3,
      'pub_date and pubDate are one field, with two values',
    ],
    ['+++\nis_draft = true\nisDraft = false\n+++\nText', 3, 'is_draft and isDraft are one field, with two values'],
    ['{ "draft": true, "draft": false }\nText', 1, 'front matter names "draft" twice'],
    ['{ "build": { "render": "never", "rend\\u0065r": "always" } }\nText', 1, 'front matter names "render" twice'],
  ])('is left out if it is said in two ways: %j', (text, line, message) => {
    expect(() => parse('a.md', text)).toThrow(expect.objectContaining({ line, message }))
  })

  it('does not begin in the future', () => {
    expect(parse('a.md', '---\ndate: 2099-05-05\n---\nText').createdAt).toBeUndefined()
  })
})

const parse = (file: string, text: string) => parseArticle(file, text).article
