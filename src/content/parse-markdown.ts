import path from 'node:path'
import { slugify } from '../domain/slugify.ts'
import { whyUnsearchable } from '../domain/unsearchable.ts'
import { isVisible } from '../kernel/visible.ts'
import { decodedSlug, INDEX } from './choose-slugs.ts'
import { type ArticleRecord, authorNamed, ContentProblem, type TagName } from './content-record.ts'
import { findHeading } from './find-heading.ts'
import { type MarkdownParts, splitFrontMatter } from './front-matter.ts'
import { PUBLISHED, redirectOf, whyHeldBack } from './held-back.ts'
import { leaveOutCode } from './mdx.ts'
import { parseAuthor } from './parse-author.ts'
import { parseDate } from './parse-date.ts'
import { HOLDS_UNSTORABLE, isFileTime, type RecordFields, UNSTORABLE } from './record-fields.ts'
import { leaveOutTemplateComments } from './template-comments.ts'

export interface MarkdownFile {
  /** Relative to the imported folder. Its name and its folder may give the slug, the title, the date and the status. */
  readonly file: string
  /** The path of the imported folder, if it is known. */
  readonly root?: string
  readonly text: string
  /** The author if the file names none. */
  readonly author: string
  /** The time of the import, in milliseconds. What is dated later is held back. */
  readonly now: number
  /** Why another file holds it back, in words. */
  readonly heldBy?: string | undefined
}

export type ParsedMarkdown =
  | {
      readonly article: ArticleRecord
      /** Why the article is a draft, in words. Empty if it is published. */
      readonly heldBack: readonly string[]
      /** What comes in otherwise than it is written, in words. */
      readonly notes: readonly string[]
      /** The names of the fields that Stet has no place for. */
      readonly unreadFields: readonly string[]
    }
  /** Why the file is no article, though nothing is wrong with it. */
  | { readonly unread: string }

/**
 * Parses an article from a Markdown file by the conventions of Hugo, Jekyll, Astro, Eleventy, Zola and Next. Throws a ContentProblem if the
 * file should be an article, and can't be read as one.
 */
export function parseMarkdown({ file, root, text, author, now, heldBy }: MarkdownFile): ParsedMarkdown {
  const whole = splitFrontMatter(text)
  const redirect = stubOf(whole)
  if (redirect !== undefined) return { unread: `is a redirect without a body: ${redirect}` }
  const spoken = leaveOutTemplateComments(file, whole)
  const { parts, notes } = leaveOutCode(file, spoken.parts)
  const { fields, body, bodyLine } = parts
  const name = nameOf(file)
  const { publishedAt, createdAt } = datesOf(fields, name.date)
  const heldBack = whyHeldBack(fields, { file, root, now })
  if (publishedAt && publishedAt === name.date && isAhead(publishedAt, now)) {
    heldBack.push('the date in its name is in the future')
  }
  if (heldBy !== undefined) heldBack.push(heldBy)
  const isDraft = heldBack.length > 0
  if (body === '' && !isDraft) throw new ContentProblem(bodyLine, 'has no body: only a draft may be empty')
  checkBody(parts)
  const byline = parseAuthor(fields)
  const article: ArticleRecord = {
    type: 'article',
    slug: slugOf(fields, file),
    title: titleOf(parts) ?? name.title,
    summary: fields.text(2000, 'description', 'summary', 'excerpt') ?? '',
    body,
    status: isDraft ? 'DRAFT' : 'PUBLISHED',
    author: byline.author ?? authorNamed(author),
    tags: tagsOf(fields, name.date !== undefined),
    publishedAt: isDraft ? undefined : publishedAt,
    // A draft that was begun in the future would stand first in its author's list.
    createdAt: createdAt && isAhead(createdAt, now) ? undefined : createdAt,
    updatedAt: fields.date('updated', 'updatedDate', 'updatedAt', 'lastmod', 'lastModifiedAt', 'modified'),
    views: fields.count('views'),
  }
  const allNotes = [
    ...spoken.notes,
    ...notes,
    ...byline.notes,
    ...slugNotes(fields, file),
    ...fileTimeNotes(fields),
    ...fields.notes,
  ]
  return { article, heldBack, notes: allNotes, unreadFields: fields.unread }
}

const isAhead = (date: string, now: number): boolean => Date.parse(date) > now

/** Hugo's rule: the day of publication counts for what is published, `date` for what was begun. Either stands in for the other. */
function datesOf(fields: RecordFields, ofName: string | undefined) {
  const others = ['published', 'publish'].filter((name) => fields.isDate(name))
  const published = fields.date(...PUBLISHED, ...others)
  const date = fields.date('date', 'created', 'createdAt', 'dateCreated')
  return { publishedAt: published ?? date ?? ofName, createdAt: date ?? published ?? ofName }
}

function fileTimeNotes(fields: RecordFields): string[] {
  const found = fields.find('date')
  if (!found || !isFileTime(found.value)) return []
  return [`its date is "${String(found.value)}", which is not looked up: it has that of its first import`]
}

/** Undefined for an article. */
const stubOf = ({ fields, body }: MarkdownParts): string | undefined => (body === '' ? redirectOf(fields) : undefined)

/** The slug that a Markdown file claims. Undefined if it is no article. Throws a ContentProblem if its front matter can't be read. */
export function claimedSlug(file: string, text: string): string | undefined {
  const parts = splitFrontMatter(text)
  return stubOf(parts) === undefined ? slugOf(parts.fields, file) : undefined
}

const slugOf = (fields: RecordFields, file: string): string => slugify(givenSlug(fields) ?? nameOf(file).slug, 200)

/** The slug that the fields give, as it is written: `slug`, or the last name of `url`, `permalink` or Zola's `path`. */
function givenSlug(fields: RecordFields): string | undefined {
  const slug = fields.text(1000, 'slug')
  if (slug !== undefined || fields.isFalse('permalink') || fields.isFalse('url')) return slug
  const address = fields.text(1000, 'url', 'permalink', 'path')
  return address === undefined ? undefined : lastNameOf(address) || undefined
}

/** Empty for the address of a whole site, and for a template such as `/:year/:title/`, `{{ title }}` or Jekyll's `pretty`. */
function lastNameOf(address: string): string {
  const path = address.replace(/^(?:[a-z][a-z\d+.-]*:)?\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  if (/[:{}]/.test(path) || /^(?:date|pretty|ordinal|weekdate|none)$/.test(path)) return ''
  const last = path
    .replace(/(?:\/index)?\.html?$|\/+$/g, '')
    .split('/')
    .at(-1)
  return decodedSlug(last ?? '')
}

/** What becomes of a slug otherwise than it is written, in words. */
function slugNotes(fields: RecordFields, file: string): string[] {
  const given = givenSlug(fields)
  const slug = slugOf(fields, file)
  if (given !== undefined)
    return given === slug ? [] : [`its slug is given as ${JSON.stringify(given)}, and is "${slug}"`]
  const address = fields.isFalse('permalink') ? undefined : fields.find('permalink')?.value
  return typeof address === 'string' && lastNameOf(address) === ''
    ? [`its permalink names no article, or is a template, and is not read: ${JSON.stringify(address.slice(0, 100))}`]
    : []
}

/**
 * What a file's path says of its article: `2024-01-31-slug.md` (Jekyll; Zola also with `_`), `slug.md`, or by its folder `slug/index.md` (Hugo), `slug/index.de.md`,
 * `slug/README.md` and `slug/page.mdx` (Next).
 */
function nameOf(file: string): { slug: string; title: string; date?: string } {
  const base = path.posix.basename(file)
  const folder = path.posix.basename(path.posix.dirname(file))
  const isOfFolder = folder !== '.' && INDEX.test(base)
  const plain = base.replace(/\.(md|markdown|mdx)$/i, '')
  const name = isOfFolder ? plain.replace(/^[a-z]+/i, folder) : plain
  const dated = /^(\d{4}-\d{1,2}-\d{1,2})[-_](.+)$/.exec(name)
  const date = dated?.[1] && parseDate(dated[1])
  const slug = (date && dated?.[2]) || name
  const words = (isOfFolder ? slug.replace(LANGUAGE, '') : slug).replace(/[-_]+/g, ' ').trim() || slug
  return { slug, title: words.charAt(0).toUpperCase() + words.slice(1, 300), date: date || undefined }
}

/** The language in `index.de.md`. */
const LANGUAGE = /\.[a-z]{2,3}(?:-[a-z]{2,4})?$/i

function titleOf({ fields, body, bodyLine }: MarkdownParts): string | undefined {
  const title = fields.text(300, 'title')
  if (title) return title
  const heading = findHeading(body)
  if (heading && Array.from(heading.text).length > 300) {
    throw new ContentProblem(bodyLine + heading.line, 'heading is too long for a title: 300 characters fit')
  }
  return heading?.text
}

/** Tags and categories, each slug once; in `taxonomies` as Zola has them. Jekyll separates the names in a string by spaces, Hugo and Astro by commas. */
function tagsOf(fields: RecordFields, isJekyll: boolean): TagName[] {
  const tags = new Map<string, TagName>()
  for (const field of ['tags', 'tag', 'categories', 'category']) {
    const value = fields.findNested(['taxonomies'], field)?.value
    const names = typeof value === 'string' ? value.split(value.includes(',') ? ',' : isJekyll ? /\s+/ : /$/) : value
    if (Array.isArray(names)) fields.checkTags(field, names)
    for (const given of Array.isArray(names) ? names : names === undefined ? [] : [names]) {
      if (given === null) continue
      if (typeof given === 'object') throw fields.problem(field, 'should be a list of names')
      const name = String(given).trim()
      fields.checkLength(field, name, 100)
      if (name === '') continue
      if (!isVisible(name)) {
        fields.note(`one of its ${field} holds nothing that can be seen, and is left out`)
        continue
      }
      const slug = slugify(name, 100)
      const first = tags.get(slug)
      if (!first) tags.set(slug, { slug, name })
      else if (first.name.toLowerCase() !== name.toLowerCase()) {
        fields.note(`its tag ${name} is the same as ${first.name}: both have the slug "${slug}"`)
      }
    }
  }
  return [...tags.values()]
}

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
