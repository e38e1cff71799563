import { describe, expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'

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
    author: { username: 'ada-l', displayName: 'Ada L.', isNameOnly: true },
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

it.each([
  ['slug: given\nurl: /other/', 'given'],
  ['url: /blog/given/', 'given'],
  ['permalink: /blog/given/index.html', 'given'],
  ['permalink: given.html', 'given'],
  ['permalink: /:year/:title/', 'a'],
  ['permalink: "/{{ page.fileSlug }}/"', 'a'],
  ['permalink: /', 'a'],
  ['title: Nothing', 'a'],
])('takes the slug from %j', (yaml, slug) => {
  expect(parse('a.md', `---\n${yaml}\n---\nText`).slug).toBe(slug)
})

it("takes Hugo's zero date for none", () => {
  const text = '---\ndate: 0001-01-01T00:00:00Z\nexpiryDate: 0001-01-01T00:00:00Z\n---\nText'
  expect(parse('a.md', text)).toMatchObject({ status: 'PUBLISHED', publishedAt: undefined, createdAt: undefined })
  expect(parse('2024-02-03-a.md', text).publishedAt).toBe('2024-02-03T00:00:00Z')
})

it('takes nothing that a reader could not see for a title, a tag or a name, and says so', () => {
  const unseen = '"\\u200B\\u2060 "'
  const text = `---\ntitle: ${unseen}\nexcerpt: ${unseen}\ntags: [${unseen}, Sea]\nauthor: ${unseen}\nslug: ${unseen}\n---\nText`
  const { article, notes } = parseArticle('salt.md', text)
  expect(article).toMatchObject({
    slug: 'salt',
    title: 'Salt',
    summary: '',
    tags: [{ slug: 'sea' }],
    author: { username: 'anonymous' },
  })
  expect([...notes].sort()).toEqual([
    'its author holds nothing that can be seen, and is left out',
    'its excerpt holds nothing that can be seen, and is left out',
    'its slug holds nothing that can be seen, and is left out',
    'its title holds nothing that can be seen, and is left out',
    'one of its tags holds nothing that can be seen, and is left out',
  ])
  expect(parse('a.md', '# \u200B\n\n# Salt').title).toBe('Salt')
})

it.each([
  ['tags: [José, Jose, JOSÉ]', ['José'], ['its tag Jose is the same as José: both have the slug "jose"']],
  [
    'tags: [Node.js]\ncategories: [node js]',
    ['Node.js'],
    ['its tag node js is the same as Node.js: both have the slug "node-js"'],
  ],
  ['tags: [C, C++, c]', ['C', 'C++'], []],
  ['tags: "a, , b,"', ['a', 'b'], []],
])('takes tags of one slug for one, and says so if their names differ: %j', (yaml, names, said) => {
  const { article, notes } = parseArticle('a.md', `---\n${yaml}\n---\nText`)
  expect([article.tags.map(({ name }) => name), notes]).toEqual([names, said])
})

it.each([
  ['title: A\nweight: 3\nimage: a.jpg\nempty:', ['weight', 'image']],
  ['description: A\nsummary: B\nexcerpt: C', ['summary', 'excerpt']],
  [
    'params: { author: Ann, Mood: good }\nextra: { mood: good }\nmenu: { main: 1 }',
    ['params.mood', 'extra.mood', 'menu'],
  ],
  ['TITLE: A\nDate: 2024-01-01\nlastmod: 2024-01-02\ntags: [a]', []],
])('names the fields that it has no place for: %j', (yaml, fields) => {
  expect(parseArticle('a.md', `---\n${yaml}\n---\nText`).unreadFields).toEqual(fields)
})

describe('a name that is that of a folder', () => {
  it.each([
    ['posts/salt/index.md', 'salt', 'Salt'],
    ['posts/on-salt/index.de.md', 'on-salt-de', 'On salt'],
    ['salt/index.pt-br.md', 'salt-pt-br', 'Salt'],
    ['2024-01-31-salt/index.md', 'salt', 'Salt'],
    ['salt/README.md', 'salt', 'Salt'],
    ['app/blog/salt/page.mdx', 'salt', 'Salt'],
  ])('%s has the slug %s and the title %s', (file, slug, title) => {
    expect(parse(file, 'Text')).toMatchObject({ slug, title })
  })

  it.each([
    ['index.md', 'index', 'Index'],
    ['salt/indexes.md', 'indexes', 'Indexes'],
    ['salt/page.md', 'page', 'Page'],
    ['salt/node.js.md', 'node-js', 'Node.js'],
    ['2024-01-31_salt.md', 'salt', 'Salt'],
    ['2024-13-31-salt.md', '2024-13-31-salt', '2024 13 31 salt'],
  ])('%s has a name of its own: the slug %s, the title %s', (file, slug, title) => {
    expect(parse(file, 'Text')).toMatchObject({ slug, title })
  })
})

it("reads Zola's taxonomies, and its path", () => {
  const text =
    '+++\ntitle = "Salt"\npath = "notes/rock-salt"\nupdated = 2024-02-01\n[taxonomies]\ntags = ["Sea", "C++"]\ncategories = ["Food"]\n[extra]\nauthor = "Ada L."\n+++\nText'
  const { slug, tags, author } = parse('blog/2024-01-31_salt.md', text)
  expect([slug, tags.map((tag) => tag.slug), author.displayName]).toEqual([
    'rock-salt',
    ['sea', 'c-plus-plus', 'food'],
    'Ada L.',
  ])
})

describe('dates', () => {
  it.each([
    ['date: 2024-01-01\npublishDate: 2024-02-01', '2024-02-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ['date: 2024-01-01', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ['pubDate: 2024-02-01', '2024-02-01T00:00:00Z', '2024-02-01T00:00:00Z'],
    ['created: 2024-01-01\npublished: 2024-02-01', '2024-02-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ['date: 0001-01-01T00:00:00Z\npublishDate: 2024-02-01', '2024-02-01T00:00:00Z', '2024-02-01T00:00:00Z'],
    ['date: 1700000000', '2023-11-14T22:13:20Z', '2023-11-14T22:13:20Z'],
    ['date: 0044-03-15', '0044-03-15T00:00:00Z', '0044-03-15T00:00:00Z'],
  ])('%j is published at %s, and begun at %s', (yaml, publishedAt, createdAt) => {
    expect(parse('a.md', `---\n${yaml}\n---\nText`)).toMatchObject({ publishedAt, createdAt })
  })

  it.each(['Last Modified', 'git Last Modified', 'Created', 'git Created'])(
    'says that it does not look up %j',
    (date) => {
      expect(parseArticle('a.md', `---\ndate: ${date}\n---\nText`)).toMatchObject({
        article: { status: 'PUBLISHED', publishedAt: undefined },
        notes: [`its date is "${date}", which is not looked up: it has that of its first import`],
      })
    },
  )

  it.each(['infinity', '10000-01-01', '44 BC', '01/02/2024', '86400', '[2024-01-01]'])(
    'names %j, which it refuses',
    (date) => {
      const value = date.startsWith('[') ? 'a list' : JSON.stringify(date)
      expect(() => parse('a.md', `---\ntitle: A\ndate: ${date}\n---\nText`)).toThrow(
        expect.objectContaining({
          line: 3,
          message: `date is not a date: ${value}; write it as 2024-01-31, in the years 1 to 9999`,
        }),
      )
    },
  )
})

const parse = (file: string, text: string) => parseArticle(file, text).article

describe('a slug that is given', () => {
  it.each([
    ['url: https://example.org/posts/salt-rock/?a=b#c', 'salt-rock'],
    ['url: //example.org/salt-rock', 'salt-rock'],
    ['permalink: /2024/salt-rock.html', 'salt-rock'],
    ['path: /caf%C3%A9/salt-rock/index.html', 'salt-rock'],
    ['slug: 007', '007'],
  ])('counts as it is: %s', (yaml, slug) => {
    const { article, notes } = parseArticle('a.md', `---\n${yaml}\n---\nText`)
    expect([article.slug, notes]).toEqual([slug, []])
  })

  it.each([
    ['slug: Salt & Sea', 'Salt & Sea', 'salt-sea'],
    ['permalink: /caf%C3%A9/', 'café', 'cafe'],
    ['url: https://example.org/Salt.html', 'Salt', 'salt'],
    ['slug: /a/b/', '/a/b/', 'a-b'],
    ['url: /x/100%', '100%', '100'],
  ])('comes in otherwise than it is written only with a note: %s', (yaml, given, slug) => {
    const { article, notes } = parseArticle('a.md', `---\n${yaml}\n---\nText`)
    expect([article.slug, notes]).toEqual([slug, [`its slug is given as "${given}", and is "${slug}"`]])
  })

  it.each(['/:year/:title/', '"{{ title }}/"', 'pretty', '/'])(
    'does not count if it names no article: %s',
    (permalink) => {
      const { article, notes } = parseArticle('salt.md', `---\npermalink: ${permalink}\n---\nText`)
      expect(article.slug).toBe('salt')
      expect(notes).toEqual([
        expect.stringContaining('its permalink names no article, or is a template, and is not read'),
      ])
    },
  )
})
