import { describe, expect, it } from '@jest/globals'
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

describe('what its author holds back', () => {
  it.each([
    ['draft: true', 'draft is true'],
    ['draft: yes', 'draft is true'],
    ['private: true', 'private is true'],
    ['published: false', 'published is false'],
    ['permalink: false', 'permalink is false'],
    ['status: pending', 'status is pending'],
    ['visibility: private', 'visibility is private'],
    ['date: 2099-05-05', 'date is in the future'],
    ['date: 2020-01-01\npublishDate: 2026-11-29T12:00:01Z', 'publishDate is in the future'],
    ['published: 2099-01-01', 'published is in the future'],
    ["pubDate: 'Jul 08 2099'", 'pubDate is in the future'],
    ['expiryDate: 2026-11-29T12:00:00Z', 'expiryDate is in the past'],
    ['unpublishdate: 2001-01-01', 'unpublishDate is in the past'],
    ['draft: true\ndate: 2099-05-05', 'draft is true; date is in the future'],
  ])('is a draft, and says why: %j', (yaml, reason) => {
    const { article, heldBack } = parseWhole('a.md', `---\n${yaml}\n---\nText`)
    expect([article.status, article.publishedAt, heldBack.join('; ')]).toEqual(['DRAFT', undefined, reason])
  })

  it.each([
    ['_drafts/a.md', 'it is in _drafts'],
    ['blog/_drafts/a/b.md', 'it is in _drafts'],
    ['_hidden.md', 'its name begins with _'],
    ['_posts/2099-01-02-a.md', 'the date in its name is in the future'],
  ])('is a draft by its path: %s', (file, reason) => {
    const { article, heldBack } = parseWhole(file, 'Text')
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
  ])('is public with %j', (yaml) => {
    const { article, heldBack } = parseWhole('a.md', `---\n${yaml}\n---\nText`)
    expect([article.status, heldBack]).toEqual(['PUBLISHED', []])
  })

  it('does not begin in the future', () => {
    expect(parse('a.md', '---\ndate: 2099-05-05\n---\nText').createdAt).toBeUndefined()
  })
})

describe('front matter', () => {
  const article = { title: 'Salt', status: 'DRAFT', body: 'One\n\ntwo', tags: [{ slug: 'sea', name: 'Sea' }] }

  it.each([
    ['YAML', '---\ntitle: Salt\ndraft: true\ntags: [Sea]\n---\nOne\n\ntwo\n'],
    ['YAML that ends with dots', '---\ntitle: Salt\ndraft: true\ntags:\n- Sea\n...\nOne\n\ntwo\n'],
    ['YAML with merged keys', '---\na: &a { title: Salt, draft: true }\n<<: *a\ntags: [Sea]\n---\nOne\n\ntwo'],
    ['TOML', '+++\ntitle = "Salt"\ndraft = true\ntags = ["Sea"]\n+++\nOne\n\ntwo\n'],
    ['JSON in a line', '{ "title": "Salt", "draft": true, "tags": ["Sea"] }\nOne\n\ntwo'],
    ['JSON over lines', '{\n\t"title": "Salt",\n\t"draft": true, "x": {"}": "\\"}"}, "tags": ["Sea"]\n}\n\nOne\n\ntwo'],
    ['JSON between fences', '---json\n{"title": "Salt", "draft": true, "tags": ["Sea"]}\n---\nOne\n\ntwo'],
    ['TOML between fences', '--- toml\ntitle = "Salt"\ndraft = true\ntags = ["Sea"]\n---\nOne\n\ntwo'],
  ])('is read as %s, with a byte order mark, Windows line ends, and blank lines before it', (_dialect, text) => {
    for (const variant of [text, `\uFEFF${text}`, text.replaceAll('\n', '\r\n'), `\uFEFF\r\n \n${text}`]) {
      expect(parse('a.md', variant)).toMatchObject(article)
    }
  })

  it.each([
    ['---\ntitle: 1.10\ntags: [3.10, 0x1F, 1e3, 007, .nan, 12345678901234567890, true]\nslug: 12e5678\n---\nText'],
    [
      '+++\ntitle = 1.10\ntags = [3.10, 0x1F, 1e3, "007", ".nan", 12345678901234567890, "true"]\nslug = "12e5678"\n+++\nText',
    ],
    [
      '{"title": 1.10, "tags": [3.10, "0x1F", 1e3, "007", ".nan", 12345678901234567890, "true"], "slug": "12e5678"}\nText',
    ],
  ])('keeps a number as it is written: %j', (text) => {
    const { title, slug, tags } = parse('a.md', text)
    expect([title, slug]).toEqual(['1.10', '12e5678'])
    expect(tags.map(({ name }) => name)).toEqual(['3.10', '0x1F', '1e3', '007', '.nan', '12345678901234567890', 'true'])
  })

  it.each(['007', '1_000', '2024-01-01', '1:30', '.nan', '-.inf', '0o17', '1e400', 'yes', '~x'])(
    'takes %j for a title as it stands',
    (title) => {
      expect(parse('a.md', `---\ntitle: ${title}\n---\nText`).title).toBe(title)
    },
  )

  it('knows null from text', () => {
    expect(parse('salt.md', '---\ntitle: null\ntags: [~, "null"]\n---\nText')).toMatchObject({
      title: 'Salt',
      tags: [{ name: 'null' }],
    })
  })

  it.each([
    ['{ "title": "Salt", "draft": true\n\nText', 1, /opens with { and never closes/],
    ['{ title: "Salt", draft: true }\nText', 1, /not valid JSON/],
    ["{ 'draft': true }\nText", 1, /not valid JSON/],
    ['+++\ntitle = "Salt"\n\nText', 1, /opens with \+\+\+ and never closes/],
    ['\n+++\ntitle = "Salt"\ntitle = "Sea"\n+++\nText', 4, /not valid TOML/],
    ['+++\na = ]\n+++\nText', 2, /not valid TOML/],
    [`+++\na = ${'['.repeat(30_000)}${']'.repeat(30_000)}\n+++\nText`, 1, /not valid TOML: it is nested too deep/],
    ['---js\n{ draft: true }\n---\nText', 1, /in js is not read/],
    ['title: Salt\ndraft: true\n---\nText', 1, /looks like front matter/],
    ['———\ndraft: true\n———\nText', 1, /looks like front matter/],
    [';;;\n"title": "Salt"\n;;;\nText', 1, /looks like front matter/],
    ['--- !x\ndraft: true\n---\nText', 1, /looks like front matter/],
  ])('is never taken for the body: %j', (text, line, message) => {
    expect(() => parse('a.md', text)).toThrow(
      expect.objectContaining({ line, message: expect.stringMatching(message) }),
    )
  })

  it.each(['{{< figure >}}\nText', '{% include x %}', '{: .lead}\nText', '{#id}', '***\nText', '- - -\nText: a'])(
    'is not what a body may begin with: %j',
    (text) => {
      expect(parse('a.md', text).body).toBe(text)
    },
  )
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

describe('MDX', () => {
  it('is read without its imports and exports, and says so', () => {
    const text =
      "---\ntitle: Salt\n---\nimport { Chart } from './chart'\nimport x from 'x'\n\n# Salt\n\nexport const a = {\n  b: 1,\n}\n\n<Chart />\n\n```js\nimport y from 'y'\n```"
    const { article, notes } = parseWhole('posts/salt.mdx', text)
    expect(article).toMatchObject({ slug: 'salt', title: 'Salt', status: 'PUBLISHED' })
    expect(article.body).toBe("# Salt\n\n\n\n\n\n<Chart />\n\n```js\nimport y from 'y'\n```")
    expect(notes).toEqual(['is MDX: its imports and exports are left out (2 blocks)'])
  })

  it.each(['Import nothing.', 'import duties rose', 'Text\nimport a from "b"'])(
    'keeps what only begins like one: %j',
    (text) => {
      expect(parseWhole('a.mdx', text)).toMatchObject({ article: { body: text }, notes: [] })
      expect(parseWhole('a.md', "import a from 'b'").article.body).toBe("import a from 'b'")
    },
  )

  it.each(['metadata', 'meta', 'frontmatter'])('is not read if its fields are JavaScript: %s', (name) => {
    expect(() => parse('a.mdx', `import x from 'x'\n\nexport const ${name} = { draft: true }\n\nText`)).toThrow(
      expect.objectContaining({ line: 3, message: expect.stringMatching(/fields in JavaScript/) }),
    )
    expect(parse('a.mdx', `---\ntitle: A\n---\nexport const ${name} = {}\n\nText`).body).toBe('Text')
  })
})

const parse = (file: string, text: string) => parseWhole(file, text).article

function parseWhole(file: string, text: string) {
  return parseMarkdown({ file, text, author: 'Anonymous', now: Date.UTC(2026, 10, 29, 12) })
}
