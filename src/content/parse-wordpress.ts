import { slugify } from '../domain/slugify.ts'
import { whyUnsearchable } from '../domain/unsearchable.ts'
import { isVisible } from '../kernel/visible.ts'
import { decodedSlug } from './choose-slugs.ts'
import type { ArticleRecord, AuthorRecord, TagName, TagRecord } from './content-record.ts'
import { EMAIL } from './parse-author.ts'
import type { WordpressElement } from './read-wordpress.ts'
import { RecordFields } from './record-fields.ts'
import { plainText, wordpressBody } from './wordpress-html.ts'

export interface WordpressNames {
  /** The slug of a post or page. */
  slugOf(item: WordpressElement): string
  /** The username of an author's login. */
  usernameOf(login: string): string
  /** The author of items that name none. */
  readonly author: string
  /** The time of the import, in milliseconds. What is dated later is held back. */
  readonly now: number
}

export interface ParsedItem {
  readonly record: ArticleRecord
  /** Why it is a draft, in words. Empty if it is published. */
  readonly heldBack: readonly string[]
  /** What did not come in as it is, in words. */
  readonly notes: readonly string[]
}

/** Why an element is neither a post nor a page, nor a category, a tag or an author. Undefined if it is one. */
export function whyUnread({ name, fields }: WordpressElement): string | undefined {
  if (name === 'item') {
    const type = fields.get('wp:post_type')?.text.trim()
    return type === 'post' || type === 'page'
      ? undefined
      : `is an item of the type ${plainName(type)}, not a post or a page`
  }
  if (name !== 'wp:term') return undefined
  const taxonomy = fields.get('wp:term_taxonomy')?.text.trim()
  return isRead(taxonomy) ? undefined : `is a term of the taxonomy ${plainName(taxonomy)}, not a category or a tag`
}

/** Without what a report can't show in a line. */
const plainName = (name = ''): string => name.replace(/[^\w-]+/g, '').slice(0, 40) || 'none'

/** `tag`: so the first versions of the format had it. */
const isRead = (taxonomy: string | undefined): boolean => /^(?:category|post_tag|tag)$/.test(taxonomy ?? '')

/** An author of the blog. Their e-mail address is left out if it is none. */
export function authorOf(
  element: WordpressElement,
  names: WordpressNames,
): { record: AuthorRecord; notes: readonly string[] } {
  const fields = fieldsOf(element)
  const login = fields.text(100, 'wp:author_login')
  if (login === undefined) throw fields.problem('wp:author_login', 'is missing')
  const displayName = plainText(fields.text(1000, 'wp:author_display_name') ?? '') || login
  fields.checkLength('wp:author_display_name', displayName, 100)
  const email = fields.text(254, 'wp:author_email')
  const record = { type: 'author', username: names.usernameOf(login), displayName } as const
  if (email === undefined || EMAIL.test(email)) return { record: { ...record, email }, notes: fields.notes }
  return {
    record,
    notes: [...fields.notes, `the e-mail address of its author is none, and is left out: ${JSON.stringify(email)}`],
  }
}

/** What no two authors, or categories and tags, of an export may share. Undefined for an item. */
export function nameOf(element: WordpressElement): string | undefined {
  if (element.name === 'item') return undefined
  if (element.name === 'wp:author') return `author ${element.fields.get('wp:author_login')?.text.trim()}`
  const { slug, name } = termOf(fieldsOf(element))
  return `tag ${slugOfTerm(slug, name)}`
}

function termOf(fields: RecordFields): { readonly slug: string; readonly name: string } {
  return {
    slug: fields.text(1000, 'wp:category_nicename', 'wp:tag_slug', 'wp:term_slug') ?? '',
    name: plainText(fields.text(1000, 'wp:cat_name', 'wp:tag_name', 'wp:term_name') ?? ''),
  }
}

const slugOfTerm = (slug: string, name: string): string => slugify(decodedSlug(slug || name), 100)

/** A category or a tag. A description that is empty leaves that of the row as it is. */
export function tagOf(element: WordpressElement): TagRecord {
  const fields = fieldsOf(element)
  const { slug, name } = termOf(fields)
  if (!slug && !name) throw fields.problem(element.name, 'has neither a name nor a slug')
  const description = plainText(
    fields.text(100_000, 'wp:category_description', 'wp:tag_description', 'wp:term_description') ?? '',
  )
  fields.checkLength('the name', name, 100)
  fields.checkLength('the description', description, 2000)
  return {
    type: 'tag',
    slug: slugOfTerm(slug, name),
    name: name || undefined,
    description: description || undefined,
  }
}

/**
 * A post or a page. It is a draft unless its status is `publish`, it has no password, its date has come, and it has a body.
 * Throws a ContentProblem if it can't be read.
 */
export function articleOf(item: WordpressElement, names: WordpressNames): ParsedItem {
  const fields = fieldsOf(item)
  const { html, notes } = wordpressBody(item.fields.get('content:encoded')?.text ?? '')
  fields.checkLength('content:encoded', html, 500_000)
  const why = whyUnsearchable(html)
  if (why !== undefined) throw fields.problem('content:encoded', why)
  const { date, hasZone } = dateOf(fields)
  const isAhead = date !== undefined && Date.parse(date) > names.now
  const heldBack = whyHeldBack(fields, { isAhead, isEmpty: html === '' })
  const isDraft = heldBack.length > 0
  const title = titleOf(item)
  fields.checkLength('title', title, 300)
  const summary = plainText(fields.text(100_000, 'excerpt:encoded') ?? '')
  fields.checkLength('excerpt:encoded', summary, 2000)
  const login = fields.text(100, 'dc:creator') ?? names.author
  return {
    record: {
      type: 'article',
      slug: names.slugOf(item),
      title: isVisible(title) ? title : UNTITLED,
      summary,
      body: html,
      status: isDraft ? 'DRAFT' : 'PUBLISHED',
      author: { username: names.usernameOf(login), displayName: login },
      tags: tagsOf(item, fields),
      publishedAt: isDraft ? undefined : date,
      // A draft that was begun in the future would stand first in its author's list.
      createdAt: isAhead ? undefined : date,
      updatedAt: momentOf(fields, 'wp:post_modified_gmt'),
    },
    heldBack,
    notes: [
      ...notes,
      ...(isVisible(title) ? [] : [`has no title that can be seen, and gets "${UNTITLED}"`]),
      ...(date && !hasZone ? ['its date has no time zone, and is taken to be in UTC'] : []),
      ...notesOnOthers(item),
      ...fields.notes,
    ],
  }
}

/** The slug that WordPress has given an item, decoded: slugs of other scripts are percent-encoded in an export. Undefined if it has given none, as it may do with drafts. */
export function givenSlug({ fields }: WordpressElement): string | undefined {
  const name = fields.get('wp:post_name')?.text.trim()
  return name ? slugify(decodedSlug(name).slice(0, 1000), 200) : undefined
}

/** The slug that an item's title gives. */
export const titleSlug = (item: WordpressElement): string => slugify(titleOf(item) || UNTITLED, 180)

const UNTITLED = 'Untitled'

/** Titles in CDATA are HTML. Those of earlier versions are text, in which nothing is a tag. */
function titleOf({ fields }: WordpressElement): string {
  const { text = '', isCdata = false } = fields.get('title') ?? {}
  const html = text.slice(0, MAX_HTML)
  return plainText(isCdata ? html : html.replaceAll('<', '&lt;')).replace(/\s+/g, ' ')
}

/** In UTF-16 code units: more than a title of 300 characters takes. */
const MAX_HTML = 10_000

function whyHeldBack(
  fields: RecordFields,
  { isAhead, isEmpty }: { readonly isAhead: boolean; readonly isEmpty: boolean },
): string[] {
  const status = fields.text(100, 'wp:status')
  return [
    ...(status === 'publish' ? [] : [status ? `status is ${plainName(status)}` : 'it has no status']),
    ...(fields.find('wp:post_password') ? ['it has a password'] : []),
    ...(isAhead ? ['its date is in the future'] : []),
    ...(isEmpty ? ['it has no body'] : []),
  ]
}

/** WordPress leaves the date in UTC open until an item is published, and writes the others in the blog's own time, without a zone. */
function dateOf(fields: RecordFields): { readonly date: string | undefined; readonly hasZone: boolean } {
  const date = momentOf(fields, 'wp:post_date_gmt')
  if (date !== undefined) return { date, hasZone: true }
  if (fields.isDate('pubDate')) return { date: fields.date('pubDate'), hasZone: true }
  return { date: momentOf(fields, 'wp:post_date'), hasZone: false }
}

/** `0000-00-00 00:00:00` is none. */
function momentOf(fields: RecordFields, name: string): string | undefined {
  return /^-?000[01]-\d\d-\d\d/.test(fields.text(100, name) ?? '') ? undefined : fields.date(name)
}

/** Categories and tags alike, each slug once. */
function tagsOf({ terms }: WordpressElement, fields: RecordFields): TagName[] {
  const read = terms.filter(({ taxonomy }) => isRead(taxonomy))
  fields.checkTags('category', read)
  const tags = new Map<string, TagName>()
  for (const term of read) {
    const name = plainText(term.name) || term.slug
    fields.checkLength('category', name, 100)
    const slug = slugOfTerm(term.slug.slice(0, 1000), name)
    if (name !== '' && !tags.has(slug)) tags.set(slug, { slug, name })
  }
  return [...tags.values()]
}

/** What of an item stays in the export. */
function notesOnOthers({ terms, comments, customFields }: WordpressElement): string[] {
  const unread = terms.filter(({ taxonomy }) => !isRead(taxonomy)).map(({ taxonomy }) => plainName(taxonomy))
  const left = [
    ...(comments > 0 ? [`${comments} comments`] : []),
    ...(customFields > 0 ? [`${customFields} custom fields`] : []),
    ...[...new Set(unread)].slice(0, 10).map((taxonomy) => `terms of ${taxonomy}`),
  ]
  return left.length === 0 ? [] : [`not read of it: ${left.join(', ')}`]
}

function fieldsOf({ fields, line }: WordpressElement): RecordFields {
  const texts = Object.fromEntries([...fields].map(([name, { text }]) => [name, text]))
  return new RecordFields(texts, (name) => fields.get(name)?.line ?? line)
}
