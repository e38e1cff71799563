import type { RecordFields } from './record-fields.ts'

/**
 * Says why the author of a Markdown file holds it back, so that it must not be public: in words for a report, one for each
 * reason. An empty list if nothing does. Throws a ContentProblem for a field that can't be read, as nobody knows what it means.
 *
 * @param file relative to the imported folder
 * @param now the time of the import, in milliseconds
 */
export function whyHeldBack(fields: RecordFields, file: string, now: number): string[] {
  const reasons: string[] = []
  for (const name of [
    'draft',
    'isDraft',
    'private',
    'hidden',
    'unlisted',
    'headless',
    'eleventyExcludeFromCollections',
  ]) {
    if (fields.flag(name)) reasons.push(`${name} is true`)
  }
  // Hugo also takes `published` for a date.
  if (!fields.isDate('published') && fields.flag('published') === false) reasons.push('published is false')
  for (const name of ['permalink', 'url', 'render', 'listed', 'publish', 'isPublished', 'public', 'visible']) {
    if (fields.isFalse(name)) reasons.push(`${name} is false`)
  }
  reasons.push(...whyNotBuilt(fields))
  for (const name of ['status', 'visibility']) {
    const value = fields.text(100, name) ?? (fields.find(name) && 'nothing that can be seen')
    if (value !== undefined && !/^(publish(ed)?|public|live)$/i.test(value)) reasons.push(`${name} is ${value}`)
  }
  for (const name of FROM) {
    const date = name === 'published' && !fields.isDate(name) ? undefined : fields.date(name)
    if (date && Date.parse(date) > now) reasons.push(`${name} is in the future`)
  }
  for (const name of UNTIL) {
    const date = fields.date(name)
    if (date && Date.parse(date) <= now) reasons.push(`${name} is in the past`)
  }
  const redirect = redirectOf(fields)
  if (redirect !== undefined) reasons.push(`it redirects: ${redirect}`)
  if (/(^|\/)_drafts\//i.test(file)) reasons.push('it is in _drafts')
  if (/(^|\/)_[^/]*$/.test(file)) reasons.push('its name begins with _')
  return reasons
}

/** An article isn't public before any of these. Hugo, Jekyll, Astro and others have names of their own. */
const FROM = ['date', 'publishDate', 'pubDate', 'published', 'published_at', 'publishedAt', 'publish_date', 'pub_date']
const UNTIL = ['expiryDate', 'unpublishDate']

/** Hugo's `build: { render: never }`, which older versions call `_build`. */
function whyNotBuilt(fields: RecordFields): string[] {
  return ['render', 'list'].flatMap((name) => {
    const value = String(fields.findNested(['build', '_build'], name)?.value ?? '')
    const isOff = /^(never|false|no|off|link|local)$/i.test(value)
    return isOff && fields.find(name) === undefined ? [`build.${name} is ${value}`] : []
  })
}

/** What a page that only leads elsewhere says of it, in words. Undefined for any other. Jekyll, Hugo, Zola and Eleventy have names of their own. */
export function redirectOf(fields: RecordFields): string | undefined {
  for (const name of ['redirect_to', 'redirectTo', 'redirect', 'redirect_url', 'redirectUrl']) {
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
