import path from 'node:path'
import { slugify } from '../domain/slugify.ts'
import { whyUnsearchable } from '../domain/unsearchable.ts'
import { type ArticleRecord, type AuthorName, ContentProblem, type TagName, usernameOf } from './content-record.ts'
import { type MarkdownParts, splitFrontMatter } from './front-matter.ts'
import { whyHeldBack } from './held-back.ts'
import { leaveOutModules } from './mdx.ts'
import { parseDate } from './parse-date.ts'
import { HOLDS_UNSTORABLE, type RecordFields, UNSTORABLE } from './record-fields.ts'

export interface MarkdownFile {
  /** Relative to the imported folder. Its name and its folder may give the slug, the title, the date and the status. */
  readonly file: string
  readonly text: string
  /** The author if the file names none. */
  readonly author: string
  /** The time of the import, in milliseconds. What is dated later is held back. */
  readonly now: number
}

export interface ParsedMarkdown {
  readonly article: ArticleRecord
  /** Why the article is a draft, in words. Empty if it is published. */
  readonly heldBack: readonly string[]
  /** What did not come in as it is, in words. */
  readonly notes: readonly string[]
}

/**
 * Parses an article from a Markdown file by the conventions of Hugo, Jekyll, Astro, Eleventy, Zola and Next. If the file names
 * several authors, the first one counts. Throws a ContentProblem if the file is not an article.
 */
export function parseMarkdown({ file, text, author, now }: MarkdownFile): ParsedMarkdown {
  const { parts, notes } = leaveOutModules(file, splitFrontMatter(text))
  const { fields, body, bodyLine } = parts
  const name = nameOf(file)
  const heldBack = whyHeldBack(fields, file, now)
  const date = fields.date('date', ...DATES) ?? (fields.isDate('published') ? fields.date('published') : name.date)
  const isAhead = date !== undefined && Date.parse(date) > now
  if (isAhead && date === name.date) heldBack.push('the date in its name is in the future')
  const isDraft = heldBack.length > 0
  if (body === '' && !isDraft) throw new ContentProblem(bodyLine, 'has no body: only a draft may be empty')
  checkBody(parts)
  const article: ArticleRecord = {
    type: 'article',
    slug: slugOf(fields, file),
    title: titleOf(parts) ?? name.title,
    summary: fields.text(2000, 'description', 'summary', 'excerpt') ?? '',
    body,
    status: isDraft ? 'DRAFT' : 'PUBLISHED',
    author: authorOf(fields) ?? { username: usernameOf(author), displayName: author },
    tags: tagsOf(fields, name.date !== undefined),
    publishedAt: isDraft ? undefined : date,
    // A draft that was begun in the future would stand first in its author's list.
    createdAt: isAhead ? undefined : date,
    updatedAt: fields.date('updated', 'updatedDate', 'lastmod', 'last_modified_at', 'modified'),
    views: fields.count('views'),
  }
  const wrong = article.author.email !== undefined && !EMAIL.test(article.author.email)
  if (!wrong) return { article, heldBack, notes }
  const { email, ...nameOnly } = article.author
  const note = `the e-mail address of its author is none, and is left out: ${JSON.stringify(email)}`
  return { article: { ...article, author: nameOnly }, heldBack, notes: [...notes, note] }
}

/** As the table has it. */
export const EMAIL = /^[^@\s]+@[^@\s]+$/

const DATES = ['pubDate', 'publishDate', 'published_at', 'publishedAt'] as const

/** The slug that a Markdown file claims. Throws a ContentProblem if its front matter can't be read. */
export const claimedSlug = (file: string, text: string): string => slugOf(splitFrontMatter(text).fields, file)

/** A `url` or `permalink` counts by its last name, unless it is a template such as `/:year/:title/`. */
function slugOf(fields: RecordFields, file: string): string {
  const link = fields.isFalse('permalink') || fields.isFalse('url') ? undefined : fields.text(1000, 'url', 'permalink')
  const last =
    link && /^[^:{}]*$/.test(link)
      ? link
          .replace(/(?:\/index)?\.html?$|\/+$/g, '')
          .split('/')
          .at(-1)
      : ''
  return slugify(fields.text(1000, 'slug') ?? (last || nameOf(file).slug), 200)
}

/** What a file's path says of its article: `2024-01-31-slug.md` (Jekyll), `slug/index.md` (Hugo), `slug/README.md`, or `slug.md`. */
function nameOf(file: string): { slug: string; title: string; date?: string } {
  const base = path.posix.basename(file).replace(/\.(md|markdown|mdx)$/i, '')
  const folder = path.posix.basename(path.posix.dirname(file))
  const name = folder === '.' ? base : base.replace(/^(index|readme)(?![a-z0-9])/i, folder)
  const dated = /^(\d{4}-\d{1,2}-\d{1,2})-(.+)$/.exec(name)
  const date = dated?.[1] && parseDate(dated[1])
  const slug = (date && dated?.[2]) || name
  const words = slug.replace(/[-_]+/g, ' ').trim() || slug
  return { slug, title: words.charAt(0).toUpperCase() + words.slice(1, 300), date: date || undefined }
}

function titleOf({ fields, body, bodyLine }: MarkdownParts): string | undefined {
  const title = fields.text(300, 'title')
  if (title) return title
  let fence: string | undefined
  for (const [index, line] of body.split('\n').entries()) {
    const mark = /^ {0,3}(```|~~~)/.exec(line)?.[1]
    if (mark && (!fence || fence === mark)) fence = fence ? undefined : mark
    const heading = !fence && !mark && /^ {0,3}#[ \t]/.test(line) && plainText(headingOf(line))
    if (!heading) continue
    if (heading.length > 300)
      throw new ContentProblem(bodyLine + index, 'heading is too long for a title: 300 characters fit')
    return heading
  }
  return undefined
}

/** The text of a line such as `# Title ##`. */
function headingOf(line: string): string {
  const text = line.slice(line.indexOf('#') + 1).trim()
  const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\t')) + 1
  return /^#+$/.test(text.slice(end)) ? text.slice(0, end).trim() : text
}

/**
 * A heading without its badges, links and code marks. HAZARD: nothing between two brackets may be the opening one. Otherwise
 * a heading of 240,000 `[` takes as many times its length.
 */
function plainText(markdown: string): string {
  return markdown
    .replace(/!\[[^[\]]*\](?:\([^()]*\)|\[[^[\]]*\])/g, '')
    .replace(/\[([^[\]]*)\](?:\([^()]*\)|\[[^[\]]*\])/g, '$1')
    .replace(/<[^<>]*>|`/g, '')
    .trim()
}

function authorOf(fields: RecordFields): AuthorName | undefined {
  const found = fields.find('author', 'authors', 'by')
  const first: unknown = Array.isArray(found?.value) ? found.value[0] : found?.value
  if (!found || first === undefined || first === null) return undefined
  const { name, username, email } = typeof first === 'object' ? (first as Record<string, unknown>) : { name: first }
  const displayName = textOf(name) ?? textOf(username)
  if (displayName === undefined) throw fields.problem(found.name, 'has neither a name nor a username')
  const handle = textOf(username) ?? displayName
  for (const text of [displayName, handle]) fields.checkLength(found.name, text, 100)
  if (typeof email === 'string') fields.checkLength(found.name, email, 254)
  return {
    username: usernameOf(handle),
    displayName,
    email: typeof email === 'string' && email.trim() !== '' ? email.trim() : undefined,
  }
}

/** Undefined for a list or an object, too: it may hold itself, or be nested deeper than the stack allows. */
const textOf = (value: unknown): string | undefined =>
  value === undefined || typeof value === 'object' ? undefined : String(value).trim() || undefined

/** Tags and categories, each slug once. Jekyll separates the names in a string by spaces, Hugo and Astro by commas. */
function tagsOf(fields: RecordFields, isJekyll: boolean): TagName[] {
  const tags = new Map<string, TagName>()
  for (const field of ['tags', 'tag', 'categories', 'category']) {
    const value = fields.find(field)?.value
    const names = typeof value === 'string' ? value.split(value.includes(',') ? ',' : isJekyll ? /\s+/ : /$/) : value
    if (Array.isArray(names)) checkTags(fields, field, names)
    for (const given of Array.isArray(names) ? names : names === undefined ? [] : [names]) {
      if (given === null) continue
      if (typeof given === 'object') throw fields.problem(field, 'should be a list of names')
      const name = String(given).trim()
      fields.checkLength(field, name, 100)
      const slug = slugify(name, 100)
      if (name !== '' && !tags.has(slug)) tags.set(slug, { slug, name })
    }
  }
  return [...tags.values()]
}

/** Refuses far more tags than an article needs: each is looked up in the database, and may be made there. */
export function checkTags(fields: RecordFields, name: string, tags: readonly unknown[], max = MAX_TAGS): void {
  if (tags.length > max) throw fields.problem(name, `has ${tags.length} names; at most ${max} are read`)
}

const MAX_TAGS = 1000

function checkBody({ body, bodyLine }: MarkdownParts): void {
  const bad = body.search(UNSTORABLE)
  if (bad >= 0) {
    const line = bodyLine + body.slice(0, bad).split('\n').length - 1
    throw new ContentProblem(line, HOLDS_UNSTORABLE)
  }
  const length = body.length > 500_000 ? Array.from(body).length : body.length
  if (length > 500_000) throw new ContentProblem(bodyLine, `body has ${length} characters; at most 500000 fit`)
  const why = whyUnsearchable(body)
  if (why !== undefined) throw new ContentProblem(bodyLine, `body ${why}`)
}
