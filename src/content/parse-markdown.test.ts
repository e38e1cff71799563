import { expect, it } from '@jest/globals'
import { parseMarkdown } from './parse-markdown.ts'

it('reads Hugo: a folder with index.md, nested taxonomies, lastmod', () => {
  const text =
    '---\ntitle: "Salt"\ndate: 2024-05-01T08:00:00+02:00\nlastmod: 2024-06-01\nauthors: ["Ada L.", "Bo"]\ntags: [sea, "C++"]\ncategories:\n  - Food\ndraft: false\n---\n\nSalt is a rock.\n'
  expect(parse('posts/on-salt/index.md', text)).toEqual({
    type: 'article',
    slug: 'on-salt',
    title: 'Salt',
    summary: '',
    body: 'Salt is a rock.',
    status: 'PUBLISHED',
    author: { username: 'ada-l', displayName: 'Ada L.' },
    tags: [
      { slug: 'sea', name: 'sea' },
      { slug: 'c-plus-plus', name: 'C++' },
      { slug: 'food', name: 'Food' },
    ],
    publishedAt: '2024-05-01T08:00:00+02:00',
    createdAt: '2024-05-01T08:00:00+02:00',
    updatedAt: '2024-06-01T00:00:00Z',
  })
})

it('reads Jekyll: a dated file name, tags parted by spaces, unpublished posts', () => {
  const post = parse(
    '_posts/2024-02-03-first-post.markdown',
    '---\ntags: sea salt\ncategories: food\nexcerpt: Short\n---\nText',
  )
  expect(post).toMatchObject({
    slug: 'first-post',
    title: 'First post',
    publishedAt: '2024-02-03T00:00:00Z',
    summary: 'Short',
  })
  expect(post.tags.map((tag) => tag.slug)).toEqual(['sea', 'salt', 'food'])
  expect(parse('_posts/2024-02-03-a.md', '---\npublished: false\n---\nText').status).toBe('DRAFT')
  expect(parse('_drafts/a.md', 'Text').status).toBe('DRAFT')
})

it('reads Astro: pubDate in words, description, an author with a name', () => {
  const text =
    "---\ntitle: 'First post'\npubDate: 'Jul 08 2022'\nupdatedDate: 2022-08-01\ndescription: Lorem\nauthor:\n  name: Grace Hopper\n  username: grace_h\n---\nText"
  expect(parse('src/content/blog/first.md', text)).toMatchObject({
    slug: 'first',
    summary: 'Lorem',
    publishedAt: '2022-07-08T00:00:00Z',
    updatedAt: '2022-08-01T00:00:00Z',
    author: { username: 'grace_h', displayName: 'Grace Hopper' },
  })
})

it('keeps a tag of several words whole, and parts a string at its commas', () => {
  expect(parse('a.md', '---\ntags: Machine Learning\n---\nText').tags).toEqual([
    { slug: 'machine-learning', name: 'Machine Learning' },
  ])
  expect(parse('a.md', '---\ntags: Salt, Sea Water\n---\nText').tags.map((tag) => tag.name)).toEqual([
    'Salt',
    'Sea Water',
  ])
})

it('takes the title from the first heading, else from the file name', () => {
  expect(parse('a.md', '```sh\n# not this\n```\n\n# [The](x) `one` ![badge](y) #\n\nText').title).toBe('The one')
  expect(parse('on-salt_and-sea.md', 'Text').title).toBe('On salt and sea')
  expect(parse('guide/README.md', 'Text').slug).toBe('guide')
  expect(parse('guide/index.fr.md', 'Text').slug).toBe('guide-fr')
})

it('leaves the publication date of a draft open', () => {
  const draft = parse('a.md', '---\ndraft: true\ndate: 2024-01-01\n---\n')
  expect(draft).toMatchObject({ status: 'DRAFT', body: '', createdAt: '2024-01-01T00:00:00Z' })
  expect(draft.publishedAt).toBeUndefined()
})

it('reads Windows line ends, a byte order mark, and fields in any case', () => {
  expect(parse('a.md', '\uFEFF---\r\nTitle: Salt\r\n---\r\nOne\r\ntwo\r\n')).toMatchObject({
    title: 'Salt',
    body: 'One\ntwo',
  })
})

it.each([
  ['---\ntitle: [\n---\nText', 3, /not valid YAML/],
  ['---\ntitle: a\n title: b\n---\nText', 2, /not valid YAML/],
  ['---\ntitle: Salt\n\nText', 1, /never closes/],
  ['---\n- a\n---\nText', 2, /should be fields/],
  ['+++\ntitle = "x"\n+++\nText', 1, /TOML/],
  ['---\ntitle: Salt\ndate: 2024-02-31\n---\nText', 3, /date is not a date: "2024-02-31"/],
  ['---\n# why\ndraft: maybe\n---\nText', 3, /draft should be true or false, not "maybe"/],
  [`---\ndate: 2024-01-01\ntitle: ${'x'.repeat(301)}\n---\nText`, 3, /title has 301 characters; at most 300/],
  ['---\ntitle: Salt\n---\n\n', 5, /has no body/],
  ['---\ntitle: Salt\n---\n\nOne\nt\0wo', 6, /NUL/],
  ['---\nviews: -1\n---\nText', 2, /views should be a whole number/],
  [
    '---\na: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n---\nText',
    1,
    /not valid YAML/,
  ],
])('says what is wrong with %j, and on which line', (text, line, message) => {
  expect(() => parse('a.md', text)).toThrow(expect.objectContaining({ line, message: expect.stringMatching(message) }))
})

function parse(file: string, text: string) {
  return parseMarkdown({ file, text, author: 'Anonymous' })
}
