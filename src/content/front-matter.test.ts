import { describe, expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'

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
    ['<!-- a -->\n---\ndraft: true\n---\nText', 1, /looks like front matter/],
    ['{/* a */}\n\n---\ntitle: Salt\ndraft: true\n---\nText', 1, /looks like front matter/],
    ['{# a #}\n<!--\n-->\n+++\ndraft = true\n+++\nText', 1, /looks like front matter/],
    ['{% comment %} a {% endcomment %}draft: true\nText', 1, /looks like front matter/],
    ['author: Ann\npublished: false\n---\nText', 1, /looks like front matter/],
    ['Author: Ann\nSummary: Salt\nStatus: draft\n\nText', 1, /looks like front matter/],
    ['"author": "Ann",\n"published": false\n;;;\nText', 1, /looks like front matter/],
    ['-----\nauthor: Ann\ncolor: red\npublished: false\n-----\nText', 1, /looks like front matter/],
    ['[params]\ndraft = true\n+++\nText', 1, /looks like front matter/],
    ['\u200btitle: Salt\ndraft: true\n\nText', 1, /looks like front matter/],
    ['---\u2028draft: true\u2028---\u2028Text', 1, /looks like front matter/],
    ['---\u0085draft: true\u0085---\u0085Text', 1, /looks like front matter/],
    ['```yaml\ntitle: Salt\ndraft: true\n```\nText', 1, /looks like front matter/],
    ['```\n---\ntitle: Salt\n---\n```\nText', 1, /looks like front matter/],
    ['# Salt\n---\ntitle: Salt\ndraft: true\n---\nText', 1, /looks like front matter/],
    ['<!--\n.. title: Salt\n.. status: draft\n-->\n\nText', 1, /looks like front matter/],
    ['<!-- Draft: true -->\nText', 1, /looks like front matter/],
    ['% Salt\n% Ann\n% 2099\n\nText', 1, /looks like front matter/],
    ['---\ntitle: Salt\n---\n---\ntitle: Sea\ndraft: true\n---\nText', 4, /has front matter twice/],
    ['---\n---\n\n+++\ndraft = true\n+++\nText', 4, /has front matter twice/],
    ['{}\n---\ntitle: Sea\nprivate: true\n---\nText', 2, /has front matter twice/],
    ['---\ntitle: Salt\n--- # end\nText\n\n---\nMore', 3, /not valid YAML: Source contains multiple documents/],
    ['---\ntitle: !important Salt\n---\nText', 2, /not valid YAML: Unresolved tag: !important; quote/],
    ['---\ntags: [!a b]\n---\nText', 2, /not valid YAML: Unresolved tag: !a; quote/],
  ])('is never taken for the body: %j', (text, line, message) => {
    expect(() => parse('a.md', text)).toThrow(
      expect.objectContaining({ line, message: expect.stringMatching(message) }),
    )
  })

  it.each(['!!float 1.50', '!!str 1.50', '!!int "0x1F"', '!!timestamp 2001-01-01'])(
    'keeps the source of a tagged value: %s',
    (title) => {
      expect(parse('a.md', `---\ntitle: ${title}\n---\nText`).title).toBe(title.replace(/^!!\w+ |"/g, ''))
    },
  )

  it.each([
    '---\n\nText: a line',
    'Note: one line\nWarning: another',
    'Author: Ann',
    '# Salt\n\n---\n\nTitle of a part',
    '```js\nconst a = 1\n```',
    '<!-- more -->\nText',
    '| a |\n| --- |\n| title: b |',
    '% of all',
  ])('is not what a body may begin with, after front matter or without: %j', (text) => {
    expect(parse('a.md', `---\ntitle: Salt\n---\n${text}`).body).toBe(text)
    if (!text.startsWith('---')) expect(parse('a.md', text).body).toBe(text)
  })

  it.each(['{{< figure >}}\nText', '{% include x %}', '{: .lead}\nText', '{#id}', '***\nText', '- - -\nText: a'])(
    'is not what a body may begin with: %j',
    (text) => {
      expect(parse('a.md', text).body).toBe(text)
    },
  )
})

const parse = (file: string, text: string) => parseArticle(file, text).article
