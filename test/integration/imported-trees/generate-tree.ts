import type { Random } from '../../../src/kernel/random.ts'
import { writeDate } from './dates.ts'
import { DIALECTS, type Dialect, type Fields, type Value } from './dialects.ts'

/** A file, and what must become of it. It is known from how the file was made: nothing here reads front matter. */
export interface GeneratedFile {
  readonly file: string
  readonly text: string
  readonly becomes: 'imported' | 'draft' | 'skipped' | 'not read'
  /** Of what comes in. */
  readonly article?: ExpectedArticle
}

interface ExpectedArticle {
  readonly slug: string
  readonly title: string
  readonly summary: string
  readonly body: string
  readonly author: string
  /** Their names, sorted. */
  readonly tags: readonly string[]
  /** Undefined if none is given: the time of the import. */
  readonly publishedAt: number | undefined
}

/** Makes a tree of files, whose names all begin with `prefix` so that no two trees have a slug in common. */
export function generateTree(random: Random, prefix: string, size: number): readonly GeneratedFile[] {
  const files = Array.from({ length: size }, (_, index) => fileOf(new Draw(random), `${prefix}-${index}`))
  return [
    ...files.flat(),
    { file: 'pages/_index.md', text: 'A section', becomes: 'not read' },
    { file: 'zola/_index.md', text: '+++\ndraft = true\n+++\n', becomes: 'not read' },
    { file: 'eleventy/eleventy.json', text: '{ "permalink": false }', becomes: 'not read' },
  ]
}

class Draw {
  readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  chance(share: number): boolean {
    return this.random.next() < share
  }

  of<T>(...items: readonly T[]): T {
    return items[this.random.below(items.length)] as T
  }
}

function fileOf(draw: Draw, name: string): readonly GeneratedFile[] {
  const sort = draw.random.below(20)
  if (sort === 0) return [unreadFile(draw, name)]
  if (sort === 1) return [brokenFile(draw, name)]
  if (sort === 2) return translations(draw, name)
  return [articleFile(draw, layoutOf(draw, name))]
}

function unreadFile(draw: Draw, name: string): GeneratedFile {
  const [file, text] = draw.of(
    [`${name}.png`, ''],
    [`pages/${name}.html`, '<p>'],
    [`${name}/_index.md`, '---\ntitle: Section\n---\nText'],
    [`${name}.md`, '---\nredirect_to: /there/\n---\n'],
    [`${name}.md`, '+++\nlayout = "redirect"\n+++\n\n'],
  )
  return { file, text, becomes: 'not read' }
}

function brokenFile(draw: Draw, name: string): GeneratedFile {
  const text = draw.of(
    '---\ntitle: Salt\ndraft: true\n\nText',
    '+++\ntitle = Salt\n+++\nText',
    '{ "title": "Salt", "draft": true \n\nText',
    'title: Salt\ndraft: true\n---\nText',
    '---\ntitle: [\n---\nText',
    '---\ndraft: perhaps\n---\nText',
    '---\ndate: 10000-01-01\n---\nText',
    '---\npublishDate: infinity\n---\nText',
    '---\ndate: 44 BC\n---\nText',
    '---\ntitle: Nothing\n---\n',
    'author: Ann\nstatus: draft\n\nText',
    '<!--\n.. title: Salt\n.. status: draft\n-->\nText',
    '---\ntitle: Salt\n---\n---\ndraft: true\n---\nText',
    '---\ndraft: true\nis_draft: true\nDraft: false\n---\nText',
    '{ "draft": true, "draft": false }\nText',
  )
  return { file: `${name}.md`, text, becomes: 'skipped' }
}

function translations(draw: Draw, name: string): readonly GeneratedFile[] {
  return ['de', 'en'].map((language) =>
    articleFile(draw, {
      file: `${language}/${name}.md`,
      slug: `${language}-${name}`,
      title: titleFrom(name),
      isFixed: true,
    }),
  )
}

interface Layout {
  readonly file: string
  readonly slug: string
  /** If nothing else gives one. */
  readonly title: string
  readonly date?: string
  readonly isHeldBack?: boolean
  /** True if the file may not have a slug of its own. */
  readonly isFixed?: boolean
}

function layoutOf(draw: Draw, name: string): Layout {
  const own = { slug: name, title: titleFrom(name) }
  return draw.of<Layout>(
    { ...own, file: `posts/${name}.md` },
    { ...own, file: `${name}.markdown` },
    { ...own, file: `deep/er/${name}.mdx` },
    { ...own, file: `posts/${name}/index.md` },
    { ...own, file: `posts/${name}/README.md` },
    { ...own, file: `app/${name}/page.mdx` },
    { ...own, file: `posts/${name}/index.fr.md`, slug: `${name}-fr` },
    { ...own, file: `_posts/2024-02-03-${name}.md`, date: '2024-02-03' },
    { ...own, file: `blog/2023-1-5_${name}/index.md`, date: '2023-01-05' },
    { ...own, file: `_posts/2099-02-03-${name}.md`, date: '2099-02-03' },
    { ...own, file: `_drafts/${name}.md`, isHeldBack: true },
    { ...own, file: `drafts/2024/${name}.md`, isHeldBack: true },
    { ...own, file: `docs/_partials/${name}.mdx`, isHeldBack: true },
    { ...own, file: `zola/deep/${name}.md`, isHeldBack: true },
    { ...own, file: `eleventy/${name}/index.md`, isHeldBack: true },
  )
}

const titleFrom = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`.replaceAll('-', ' ')

function articleFile(draw: Draw, layout: Layout): GeneratedFile {
  const dialect = draw.of(...DIALECTS)
  const isPlain = draw.chance(0.1)
  const fields: Fields[number][] = []
  const add = (name: string, value: Fields[number][1]) => fields.push([name, value])

  const title = draw.chance(0.7) ? scalarOf(draw, dialect) : draw.of(undefined, ...dialect.absent)
  if (title) add('title', title)
  const summary = draw.chance(0.4) ? scalarOf(draw, dialect) : undefined
  if (summary) add(draw.of('description', 'summary', 'Excerpt'), summary)
  const tags = draw.chance(0.5) ? tagsOf(draw, dialect) : []
  if (tags.length > 0) add(draw.of('tags', 'categories'), tags)
  const author = draw.chance(0.5) ? draw.of('Ada Lovelace', 'José', 'Jose', 'bo', '山田') : undefined
  if (author) add(draw.of('author', 'by'), draw.chance(0.5) ? dialect.quote(author) : { name: dialect.quote(author) })
  const slug = !layout.isFixed && draw.chance(0.2) ? `${layout.slug}-own` : undefined
  if (slug) add(draw.of('slug', 'url', 'permalink'), dialect.quote(slug))
  const held = [layout.isHeldBack ?? false, addFlags(draw, dialect, add)]
  const { publishedAt, isAhead } = addDates(draw, dialect, add, layout.date)

  const heading = draw.chance(0.4) ? `${titleFrom(layout.slug)} & more` : undefined
  const body = bodyOf(draw, heading)
  // Without front matter, a file has what its name and its body say.
  const fromName = layout.date === undefined ? undefined : Date.parse(layout.date)
  const date = isPlain ? fromName : publishedAt
  const isDraft = isPlain
    ? held[0] === true || (fromName ?? 0) > NOW
    : held.includes(true) || isAhead || (publishedAt === fromName && (fromName ?? 0) > NOW)
  const written = isPlain ? body : dialect.write(fields, body)
  const given = <T>(value: T): T | undefined => (isPlain ? undefined : value)
  return {
    file: layout.file,
    text: draw.of(written, `\uFEFF${written}`, written.replaceAll('\n', '\r\n'), `\n \n${written}`),
    becomes: isDraft ? 'draft' : 'imported',
    article: {
      slug: given(slug) ?? layout.slug,
      title: given(title)?.text ?? heading ?? layout.title,
      summary: given(summary)?.text ?? '',
      body,
      author: given(author) ?? 'Anonymous',
      tags: given(tags.flatMap(({ text }) => text ?? []).sort()) ?? [],
      publishedAt: isDraft ? undefined : date,
    },
  }
}

/** The time of an import, but for the seconds between: no date lies near it. */
const NOW = Date.now()
const DAY = 86_400_000

function scalarOf(draw: Draw, dialect: Dialect): Value {
  const texts = [
    'Salt: a "rock"',
    "Ada's #1 {x} [y]",
    'Crème — 山田 🧂',
    '- no list',
    '1.10',
    '2024-01-01',
    'true',
    'back\\slash',
    '---',
    '+++',
  ]
  return draw.chance(0.5) ? dialect.quote(draw.of(...texts)) : dialect.scalar(draw.random)
}

/** No two of them give one slug. */
function tagsOf(draw: Draw, dialect: Dialect): readonly Value[] {
  const names = ['Sea', 'C++', 'Café', '3.10', '0x1F', 'true', '2024']
  const chosen = names.filter(() => draw.chance(0.4))
  const values = chosen.map((name) => dialect.quote(name))
  return draw.chance(0.2) ? [...values, ...dialect.absent.filter(({ source }) => source === 'null')] : values
}

/** Returns true if a field holds the article back. */
function addFlags(draw: Draw, dialect: Dialect, add: (name: string, value: Value) => void): boolean {
  if (draw.chance(0.6)) return false
  const isHeld = draw.chance(0.5)
  const name = draw.of(
    'draft',
    'is_draft',
    'published',
    'isPublished',
    'status',
    'post-status',
    'private',
    'expiryDate',
  )
  if (name === 'draft' || name === 'is_draft' || name === 'private') add(name, dialect.bool(isHeld, draw.random))
  if (name === 'published' || name === 'isPublished') add(name, dialect.bool(!isHeld, draw.random))
  if (name === 'status' || name === 'post-status')
    add(name, dialect.quote(isHeld ? draw.of('draft', 'pending', 'future') : draw.of('publish', 'Published')))
  if (name === 'expiryDate') add(name, dateValue(draw, dialect, isHeld ? NOW - DAY : NOW + DAY))
  return isHeld
}

/** `publishDate` counts before `date`, and both before what a file's name says. */
function addDates(draw: Draw, dialect: Dialect, add: (name: string, value: Value) => void, ofName: string | undefined) {
  const fromName = ofName === undefined ? undefined : Date.parse(ofName)
  const date = draw.chance(0.6) ? momentOf(draw) : undefined
  const published = draw.chance(0.2) ? momentOf(draw) : undefined
  if (date !== undefined) add('date', dateValue(draw, dialect, date))
  if (published !== undefined)
    add(draw.of('publishDate', 'pub_date', 'published-date'), dateValue(draw, dialect, published))
  if (date === undefined && published === undefined && draw.chance(0.1))
    add('date', dialect.quote('0001-01-01T00:00:00Z'))
  const isAhead = [date, published].some((moment) => (moment ?? 0) > NOW)
  return { publishedAt: published ?? date ?? fromName, isAhead }
}

/** Mostly in the past, in whole seconds that Unix time may have, from 1975 to 2070. */
function momentOf(draw: Draw): number {
  const [from, to] = draw.chance(0.8) ? [Date.UTC(1975, 0), NOW - DAY] : [NOW + DAY, Date.UTC(2070, 0)]
  return Math.floor((from + draw.random.next() * (to - from)) / 1000) * 1000
}

function dateValue(draw: Draw, dialect: Dialect, ms: number): Value {
  const { text, isBare } = writeDate(Math.floor(ms / 1000) * 1000, draw.random)
  return isBare ? dialect.bareDate(text) : dialect.quote(text)
}

function bodyOf(draw: Draw, heading: string | undefined): string {
  const decoys = [
    '```sh\n# not this\n```',
    '> # Nor this',
    '- # nor this',
    '<!-- # none -->',
    'Some text, é and 山.',
    '## Part',
  ]
  const before = decoys.filter(() => draw.chance(0.3))
  const title = heading === undefined ? [] : [draw.of(`# ${heading}`, `${heading}\n===`, `# **${heading}** #`)]
  return ['First.', ...before, ...title, 'Last.'].join('\n\n')
}
