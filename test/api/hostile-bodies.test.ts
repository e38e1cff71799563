import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { MarkdownRenderer } from '../../src/domain/articles/markdown-renderer.ts'
import { renderMarkdown } from '../../src/domain/articles/render-markdown.ts'
import { eventually, queryOnce, readMetric } from '../harness/index.ts'
import { use, useDatabase, useNode } from '../harness/use.ts'
import { ANN, addContent } from './add-content.ts'

const database = await useDatabase()
const node = await useNode({ database })
await addContent(database.url)
const ann = await node.author(ANN)

const fill = (unit: string, length = 500_000) => unit.repeat(Math.floor(length / unit.length))
const tableRows = `|a|b|\n|-|-|\n${fill('|x|y|\n', 300_000)}`
const create =
  'mutation ($body: String!) { createArticle(input: { title: "Hostile", body: $body }) { article { slug } } }'
const readHtml = 'query ($slug: String!) { article(slug: $slug) { bodyHtml } }'

it.each([
  ['<b>', /500 deep/],
  ['<i>x</b>', /500 deep/],
  ['<div>', /500 deep/],
  ['<x>', /500 deep/],
  ['<table><tr><td>', /500 deep/],
  ['[a](b)', /2000000 characters of HTML/],
])('refuses a body of %j alone, and says what is wrong', async (unit, why) => {
  const before = await ann.get('{ viewer { articles { totalCount } } }')
  const { errors } = await ann.send(create, { body: fill(unit) })
  expect(errors).toEqual([
    expect.objectContaining({
      message: expect.stringMatching(new RegExp(`^input.body can't be rendered: .*${why.source}`)),
      extensions: expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'input.body' }),
    }),
  ])
  expect(await ann.get('{ viewer { articles { totalCount } } }')).toEqual(before)
})

it.each(['<!--', '_a', '1a@', '~/'])(
  'refuses a body of %j alone, which PostgreSQL would take minutes to search',
  async (unit) => {
    const { errors } = await ann.send(create, { body: fill(unit) })
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.body' })
  },
)

it('takes long words that are no trouble to search, and names that are not long', async () => {
  const picture = `![](data:image/png;base64,${randomBytes(70_000).toString('base64')})`
  const closed = '<!-- a_b@c/../d -->'.repeat(5000)
  const names = 'a_snake_case_name ann@example.com ../../lib/file_name.ts https://a.example/b_c/d?e=f '.repeat(1000)
  for (const body of [picture, closed, names, `${'word'.repeat(10_000)} ${'-'.repeat(10_000)}`]) {
    await ann.get(create, { body })
  }
})

it('refuses an update in the same way, and leaves the article as it was', async () => {
  const id = (await ann.get<{ article: { id: string } }>('{ article(slug: "anns-draft") { id } }')).article.id
  const update =
    'mutation ($id: ID!, $body: String!) { updateArticle(input: { id: $id, body: $body }) { article { id } } }'
  const { errors } = await ann.send(update, { id, body: fill('<b>') })
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.body' })
  expect(await ann.get('{ article(slug: "anns-draft") { body version } }')).toEqual({
    article: { body: 'A secretive fox.', version: 1 },
  })
})

it('renders nothing for a visitor who may not write', async () => {
  const before = await rendered()
  const { errors } = await node.visitor.send(create, { body: fill('<b>', 3000) })
  expect(errors[0]?.extensions.code).toBe('UNAUTHENTICATED')
  expect(await rendered()).toBe(before)
})

it.each(['![', '[', '|-|\n', '> > > >\n', '`a', '<a href="', '*_', '</p><p><b>'])(
  'renders a body of %j alone',
  async (unit) => {
    const { createArticle } = await ann.get<{ createArticle: { article: { slug: string } } }>(create, {
      body: fill(unit, 100_000),
    })
    const { article } = await ann.get<{ article: { bodyHtml: string } }>(readHtml, createArticle.article)
    expect(article.bodyHtml).toBe(renderMarkdown(fill(unit, 100_000)).html)
  },
)

it('renders a large ordinary article as it renders its parts', async () => {
  const folder = 'content/sample/articles'
  const parts = readdirSync(folder)
    .map((file) => readFileSync(`${folder}/${file}`, 'utf8').replace(/^---\n.*?\n---\n/s, ''))
    .filter((part) => !/^\[[^\]]+\]:/m.test(part))
  const all = Array.from({ length: 290 }, (_, index) => parts[index % parts.length] ?? '')
  const body = all.join('\n\n')
  expect(body.length).toBeGreaterThan(400_000)
  await addArticle('large', body)
  const { article } = await node.visitor.get<{ article: { bodyHtml: string } }>(readHtml, { slug: 'large' })
  expect(article.bodyHtml).toBe(all.map((part) => renderMarkdown(part).html).join(''))
})

it('shows a body that came by SQL as its text, and tries it once for all readers', async () => {
  await addArticle('unclosed', `${fill('<b>')}&`)
  const before = await rendered()
  const [first] = await Promise.all([readUnclosed(), readUnclosed(), readUnclosed()])
  expect(first).toBe(`<pre>${fill('<b>').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}&amp;</pre>\n`)
  expect(await readUnclosed({ 'cache-control': 'no-cache' })).toBe(first)
  expect(await rendered()).toBe(before + 1)
})

it('answers others while a body is being rendered that takes long', async () => {
  const ends: string[] = []
  const read = async (slug: string) => {
    await node.visitor.get(readHtml, { slug })
    ends.push(slug)
  }
  await addArticle('rows', tableRows)
  await read('published')
  const rows = read('rows')
  await addArticle('short', '*Short*')
  await read('short')
  await rows
  expect(ends).toEqual(['published', 'short', 'rows'])
})

it('gives up on a body that takes too long, once, and refuses it when it is written', async () => {
  const hurried = await useNode({ database, environment: { BODY_RENDER_MAX_MS: '1' } })
  await addArticle('slow', tableRows)
  const before = await rendered(hurried.url)
  for (const client of [hurried.visitor, hurried.admin]) {
    const { article } = await client.get<{ article: { bodyHtml: string } }>(readHtml, { slug: 'slow' })
    expect(article.bodyHtml).toBe(`<pre>${tableRows}</pre>\n`)
  }
  expect(await rendered(hurried.url)).toBe(before + 1)
  const { errors } = await (await hurried.author(ANN)).send(create, { body: `${tableRows}|` })
  expect(errors[0]).toMatchObject({
    message: expect.stringContaining(
      'input.body can\'t be rendered: it takes more than 1 ms: simplify it. It begins with "',
    ),
    extensions: { code: 'BAD_USER_INPUT', field: 'input.body' },
  })
})

it('renders on after it gave up on a body', async () => {
  const renderer = use(new MarkdownRenderer({ maxMs: 300, onFailure: () => {} }), (it) => it.close())
  const late = await renderer.render(`${tableRows}${fill('![', 199_000)}`)
  expect(late.refusal).toBe('it takes more than 300 ms: simplify it')
  await eventually(async () => {
    const long = `${fill('x ', 30_000)}*y*`
    expect(await renderer.render(long)).toEqual(renderMarkdown(long))
  })
})

it('takes on no more than it can soon render', async () => {
  const renderer = use(new MarkdownRenderer({ maxMs: 60_000, onFailure: () => {} }), (it) => it.close())
  const outcomes = Promise.allSettled(Array.from({ length: 50 }, () => renderer.render(fill('a '))))
  expect(await renderer.render('*short*')).toEqual({ html: '<p><em>short</em></p>\n' })
  const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected')
  expect(refused.length).toBe(17)
  expect(refused[0]?.reason).toMatchObject({ code: 'OVERLOADED' })
})

it('rejects what is being rendered when it is closed, and what comes later', async () => {
  const renderer = new MarkdownRenderer({ maxMs: 60_000, onFailure: () => {} })
  const rendering = Promise.allSettled([renderer.render('a'), renderer.render('b'), renderer.render(tableRows)])
  await renderer.close()
  expect((await rendering).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  await expect(renderer.render('c')).rejects.toThrow('closed')
})

it('keeps no process alive that has nothing to render', async () => {
  const script = `
    import { MarkdownRenderer } from './src/domain/articles/markdown-renderer.ts'
    const renderer = new MarkdownRenderer({ maxMs: 60000, onFailure: console.error })
    console.log((await renderer.render('*a*')).html)`
  const words = ['--import', './scripts/run-typescript.mjs', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  expect(stdout).toBe('<p><em>a</em></p>\n\n')
})

/** How many bodies a node has rendered, or tried to. */
async function rendered(url = node.url): Promise<number> {
  return readMetric(url, 'stet_cache_load_seconds_count', { kind: 'article-html' })
}

async function readUnclosed(headers: Record<string, string> = {}): Promise<string> {
  const { article } = await ann.get<{ article: { bodyHtml: string } }>(readHtml, { slug: 'unclosed' }, headers)
  return article.bodyHtml
}

/** Adds an article past the API, as an older version may have done. */
async function addArticle(slug: string, body: string): Promise<void> {
  const insert = `insert into articles (slug, title, body, author_id, status, published_at) values ($1, $1, $2, 1, 'PUBLISHED', now())`
  await queryOnce(database.url, insert, [slug, body])
  await node.catchUp()
}
