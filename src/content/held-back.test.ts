import { describe, expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'

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
  ])('is a draft, and says why: %j', (yaml, reason) => {
    const { article, heldBack } = parseArticle('a.md', `---\n${yaml}\n---\nText`)
    expect([article.status, article.publishedAt, heldBack.join('; ')]).toEqual(['DRAFT', undefined, reason])
  })

  it.each([
    ['_drafts/a.md', 'it is in _drafts'],
    ['blog/_drafts/a/b.md', 'it is in _drafts'],
    ['_hidden.md', 'its name begins with _'],
    ['_posts/2099-01-02-a.md', 'the date in its name is in the future'],
  ])('is a draft by its path: %s', (file, reason) => {
    const { article, heldBack } = parseArticle(file, 'Text')
    expect([article.status, heldBack]).toEqual(['DRAFT', [reason]])
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

  it('does not begin in the future', () => {
    expect(parse('a.md', '---\ndate: 2099-05-05\n---\nText').createdAt).toBeUndefined()
  })
})

const parse = (file: string, text: string) => parseArticle(file, text).article
