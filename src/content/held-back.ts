import { ContentProblem } from './content-record.ts'
import type { RecordFields } from './record-fields.ts'

/** A Markdown file, and when it is imported. */
export interface ImportedFile {
  /** Relative to the imported folder. */
  readonly file: string
  /** The path of the imported folder, if it is known. */
  readonly root?: string | undefined
  /** The time of the import, in milliseconds. */
  readonly now: number
}

/**
 * Says why the author of a Markdown file holds it back, so that it must not be public: in words for a report, one for each
 * reason. An empty list if nothing does. Throws a ContentProblem for a field that can't be read, as nobody knows what it means.
 */
export function whyHeldBack(fields: RecordFields, { file, root = '', now }: ImportedFile): string[] {
  return [
    ...whyFieldsHold(fields, now),
    ...NESTED.flatMap((parent) => whyNestedHold(fields, parent)),
    ...whyPathHolds(file, root),
  ]
}

/** The same for fields that hold for a file, or for a whole folder, and stand elsewhere. */
export function whyFieldsHold(fields: RecordFields, now: number): string[] {
  const reasons = [...whyFlagged(fields), ...whyNotBuilt(fields)]
  for (const name of STATUSES) {
    const value = fields.text(100, name) ?? (fields.find(name) && 'nothing that can be seen')
    if (value !== undefined && !PUBLIC.test(value)) reasons.push(`${name} is ${value}`)
  }
  reasons.push(...whyOfState(fields))
  for (const name of FROM) if (isAfter(fields.date(name), now)) reasons.push(`${name} is in the future`)
  for (const name of DATES_OR_FLAGS) {
    if (fields.isDate(name) && isAfter(fields.date(name), now)) reasons.push(`${name} is in the future`)
  }
  for (const name of UNTIL) {
    const date = fields.date(name)
    if (date && !isAfter(date, now)) reasons.push(`${name} is in the past`)
  }
  // Other tools have numbers of days under these names.
  for (const name of ['expires', 'expiry']) {
    if (fields.isDate(name) && !isAfter(fields.date(name), now)) reasons.push(`${name} is in the past`)
  }
  const password = fields.find('password')
  if (password && !fields.isFalse('password')) reasons.push('it has a password')
  const redirect = redirectOf(fields)
  return redirect === undefined ? reasons : [...reasons, `it redirects: ${redirect}`]
}

const isAfter = (date: string | undefined, now: number): boolean => date !== undefined && Date.parse(date) > now

/** Names that differ only in case, hyphens and underscores are the same: Cobalt has `is_draft`. */
const HOLDING = namesIn(`
  draft isDraft saveAsDraft unpublished private isPrivate hidden isHidden unlisted isUnlisted headless ignorePost emailOnly protected deleted trashed
  wip eleventyExcludeFromCollections`)
const RELEASING = ['isPublished', 'public', 'isPublic', 'visible', 'isVisible', 'listed', 'isListed', 'dgPublish']
/** These hold something else, unless they are false. */
const RELEASING_IF_FALSE = ['permalink', 'url', 'render', 'live', 'online', 'enabled']
/** Hugo, Obsidian and others take some of them for flags, some for dates. */
const DATES_OR_FLAGS = ['published', 'publish', 'scheduled', 'embargo', 'created', 'createdAt', 'dateCreated']
const STATUSES = ['status', 'visibility', 'postStatus', 'publishStatus', 'publicationStatus']
const PUBLIC = /^(publish(ed)?|public|live)$/i

/** When an article was, or will be, published. Hugo, Jekyll, Astro and others have names of their own; the first that has a value counts. */
export const PUBLISHED = namesIn(`
  publishDate pubDate publishedAt publishedDate publishedOn datePublished publicationDate publishAt publishOn`)
/** An article isn't public before any of these. */
const FROM = ['date', ...PUBLISHED, 'scheduledAt', 'scheduledFor', 'embargoUntil']
const UNTIL = ['expiryDate', 'expirationDate', 'expireDate', 'expiresAt', 'unpublishDate', 'unpublishAt', 'unpublishOn']

function namesIn(text: string): string[] {
  return text.trim().split(/\s+/)
}

function whyFlagged(fields: RecordFields): string[] {
  const reasons: string[] = []
  for (const name of HOLDING) if (fields.flag(name)) reasons.push(`${name} is true`)
  for (const name of ['published', 'publish']) {
    if (!fields.isDate(name) && fields.flag(name) === false) reasons.push(`${name} is false`)
  }
  for (const name of ['scheduled', 'embargo']) {
    if (!fields.isDate(name) && fields.flag(name)) reasons.push(`${name} is true`)
  }
  for (const name of RELEASING) if (fields.flag(name) === false) reasons.push(`${name} is false`)
  for (const name of RELEASING_IF_FALSE) if (fields.isFalse(name)) reasons.push(`${name} is false`)
  return reasons
}

/** A state may also be that of a country. */
function whyOfState(fields: RecordFields): string[] {
  return ['state', 'access'].flatMap((name) => {
    const value = fields.find(name)?.value
    return typeof value === 'string' && HELD_STATE.test(value.trim()) ? [`${name} is ${value.trim()}`] : []
  })
}

const HELD_STATE =
  /^(draft|pending|private|hidden|unlisted|unpublished|future|scheduled|(in[ -_])?review|trash|wip|internal|paid|members|tiers|protected|restricted)$/i

/** Themes of Hugo and Zola have fields of their own in objects. A flag that can't be read there holds the article back: nobody knows what it means. */
const NESTED = ['params', 'extra', 'meta', 'metadata']

function whyNestedHold(fields: RecordFields, parent: string): string[] {
  const inner = fields.inner(parent)
  if (!inner) return []
  try {
    const states = ['status', 'visibility'].flatMap((name) => {
      const value = inner.find(name)?.value
      return typeof value === 'string' && HELD_STATE.test(value.trim()) ? [`${name} is ${value.trim()}`] : []
    })
    return [...whyFlagged(inner), ...states].map((reason) => `${parent}.${reason}`)
  } catch (error) {
    if (!(error instanceof ContentProblem)) throw error
    return [`${parent} has a flag that can't be read: ${error.message}`]
  }
}

/** Hugo's `build: { render: never }`, which older versions call `_build`. */
function whyNotBuilt(fields: RecordFields): string[] {
  return ['render', 'list'].flatMap((name) => {
    const value = String(fields.findNested(['build'], name)?.value ?? '')
    const isOff = /^(never|false|no|off|link|local)$/i.test(value)
    return isOff && fields.find(name) === undefined ? [`build.${name} is ${value}`] : []
  })
}

/** What a page that only leads elsewhere says of it, in words. Undefined for any other. Jekyll, Hugo, Zola and Eleventy have names of their own. */
export function redirectOf(fields: RecordFields): string | undefined {
  for (const name of ['redirect_to', 'redirect', 'redirect_url']) {
    const value = fields.find(name)?.value
    if (value === undefined || fields.isFalse(name)) continue
    return `${name} is ${typeof value === 'object' ? 'set' : JSON.stringify(String(value).slice(0, 100))}`
  }
  for (const name of ['layout', 'type']) {
    const value = fields.find(name)?.value
    if (typeof value === 'string' && /^redirect(?:ed)?(?:\.\w+)?$/i.test(value.trim()))
      return `${name} is ${value.trim()}`
  }
  return undefined
}

/**
 * Jekyll, Docusaurus, Astro, Eleventy and Next leave out files and folders whose names begin with `_`, but for Jekyll's `_posts`. The imported
 * folder itself may have such a name: the caller has named it.
 */
function whyPathHolds(file: string, root: string): string[] {
  const folders = file.split('/').slice(0, -1)
  const name = file.slice(file.lastIndexOf('/') + 1)
  const above = root.split(/[\\/]/)
  const drafts =
    folders.find((folder) => DRAFTS.test(folder)) ??
    above.find((folder) => /^_drafts$/i.test(folder)) ??
    above.slice(-1).find((folder) => DRAFTS.test(folder))
  const hidden = folders.find((folder) => folder.startsWith('_') && folder !== '_posts' && folder !== drafts)
  return [
    ...(drafts === undefined ? [] : [`it is in ${drafts}`]),
    ...(hidden === undefined ? [] : [`it is in ${hidden}`]),
    ...(name.startsWith('_') ? ['its name begins with _'] : []),
    ...(/\.draft\.\w+$/i.test(name) ? ['its name ends in .draft'] : []),
  ]
}

const DRAFTS = /^_?drafts?$/i
