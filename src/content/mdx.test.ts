import { describe, expect, it } from '@jest/globals'
import { parseArticle } from '../../test/harness/parse-article.ts'

describe('MDX', () => {
  it('is read without its imports and exports, and says so', () => {
    const text =
      "---\ntitle: Salt\n---\nimport { Chart } from './chart'\nimport x from 'x'\n\n# Salt\n\nexport const a = {\n  b: 1,\n}\n\n<Chart />\n\n```js\nimport y from 'y'\n```"
    const { article, notes } = parseArticle('posts/salt.mdx', text)
    expect(article).toMatchObject({ slug: 'salt', title: 'Salt', status: 'PUBLISHED' })
    expect(article.body).toBe("# Salt\n\n\n\n\n\n\n\n```js\nimport y from 'y'\n```")
    expect(notes).toEqual(['is MDX, and comes in without 2 blocks of imports and exports, 1 component'])
  })

  it.each(['Import nothing.', 'import duties rose', 'Text\nimport a from "b"'])(
    'keeps what only begins like one: %j',
    (text) => {
      expect(parseArticle('a.mdx', text)).toMatchObject({ article: { body: text }, notes: [] })
      expect(parseArticle('a.md', "import a from 'b'").article.body).toBe("import a from 'b'")
    },
  )

  it.each([
    ['<Note kind="a > b" data={[{ a: "}" }, 1]}>\n\n**Text**\n\n</Note>', '**Text**', '1 component'],
    ['a <ui.Tag /> b <></> c', 'a  b  c', '2 components'],
    ['One{/* do not say\n\nthis */} two', 'One two', '1 comment'],
    ['{/* first */}\n\nText', 'Text', '1 comment'],
    ['{ /* draft: true\n\n*/ }\nText', 'Text', '1 comment'],
    ['A{" "}b {}', 'A b', undefined],
    ['<div style={{ color: "red" }} id="x" hidden={a}>T</div>', '<div  id="x" >T</div>', '2 attributes'],
    ['`<Chart />` and ``{/* ` */}`` and \\<A/>', '`<Chart />` and ``{/* ` */}`` and \\<A/>', undefined],
    ['```\n<Chart />\n{/* a */}\n```\n~~~~\n<B/>', '```\n<Chart />\n{/* a */}\n```\n~~~~\n<B/>', undefined],
    ['a < b, <B, \\{c and <Chart', 'a < b, <B, \\{c and <Chart', undefined],
    ['{ok && "don\'t"}{/* } */}', '{ok && "don\'t"}', '1 comment'],
    ['export const a = {\n\n  b: "{",\n}\n\nText', 'Text', '1 block of imports and exports'],
  ])('is read without its code: %j', (text, body, left) => {
    const { article, notes } = parseArticle('a.mdx', text)
    expect(article.body).toBe(body)
    expect(notes.filter((note) => !note.includes('expressions'))).toEqual(
      left === undefined ? [] : [`is MDX, and comes in without ${left}`],
    )
    expect(parse('a.md', text).body).toBe(text)
  })

  it.each([
    ['---\ntitle: A\n---\nimport a from "a"\n\nexport const metadata = {\n  title: "A",\n  draft: true,\n}\n\nText', 6],
    ['---\ntitle: A\n---\nexport const draft = true\n\nText', 4],
    ['---\ntitle: A\n---\nText\n\nexport let isDraft: boolean = true\n\nText', 6],
    ['---\ntitle: A\n---\nexport const frontMatter = { "publishDate": "2099-01-01" }\n\nText', 4],
    ['export const post = { title: "A" }\n\nText', 1],
  ])('is reported if JavaScript may hold it back: %j', (text, line) => {
    expect(() => parse('a.mdx', text)).toThrow(
      expect.objectContaining({
        line,
        message: 'has its fields in JavaScript, which is not read; write them as front matter',
      }),
    )
  })

  it.each([
    'export const metadata = { color: "red" }',
    'export const Tab = () => <div hidden={true} />',
    'export const statusOf = (a) => ({ status: a })',
  ])('is read if its code says nothing of the kind: %j', (code) => {
    expect(parse('a.mdx', `---\ntitle: A\n---\n${code}\n\nText`).body).toBe('Text')
  })

  it('keeps expressions, and says so', () => {
    expect(parseArticle('a.mdx', 'It is {1 + 1} and {props.x}.')).toMatchObject({
      article: { body: 'It is {1 + 1} and {props.x}.' },
      notes: ['is MDX, and its expressions stay as they are written: 2 in braces'],
    })
  })

  it.each(['One\n\nit is {', '\n\n{/* not yet', '<A b={\n\n>'])(
    'is reported if it opens a brace and never closes it: %j',
    (text) => {
      expect(() => parse('a.mdx', `---\ntitle: A\n---\n${text}`)).toThrow(
        /body opens \{ and never closes it: write \\\{ for/,
      )
    },
  )

  it.each(['<A ', '`', '``a', '<A b="', "<A b='x'", '{"}', '{a}', "{'", '<A {} ', '\n```\n', '<', '{/**/}'])(
    'takes little time for %j, however often',
    (piece) => {
      const text = `---\ntitle: A\ndraft: true\n---\n${piece.repeat(200_000 / piece.length)}`
      const startedAt = performance.now()
      try {
        parse('a.mdx', text)
      } catch (error) {
        expect(String(error).slice(0, 100)).toMatch(/never closes/)
      }
      expect(performance.now() - startedAt).toBeLessThan(5000)
    },
  )

  it.each(['metadata', 'meta', 'frontmatter'])('is not read if its fields are JavaScript: %s', (name) => {
    expect(() => parse('a.mdx', `import x from 'x'\n\nexport const ${name} = { draft: true }\n\nText`)).toThrow(
      expect.objectContaining({ line: 3, message: expect.stringMatching(/fields in JavaScript/) }),
    )
    expect(parse('a.mdx', `---\ntitle: A\n---\nexport const ${name} = {}\n\nText`).body).toBe('Text')
  })
})

const parse = (file: string, text: string) => parseArticle(file, text).article
