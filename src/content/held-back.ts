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
  for (const name of ['draft', 'private', 'hidden', 'unlisted']) {
    if (fields.flag(name)) reasons.push(`${name} is true`)
  }
  // Hugo also takes `published` for a date.
  if (!fields.isDate('published') && fields.flag('published') === false) reasons.push('published is false')
  for (const name of ['permalink', 'url', 'render', 'listed']) {
    if (fields.isFalse(name)) reasons.push(`${name} is false`)
  }
  for (const name of ['status', 'visibility']) {
    const value = fields.text(100, name)
    if (value !== undefined && !/^(publish(ed)?|public|live)$/i.test(value)) reasons.push(`${name} is ${value}`)
  }
  for (const name of FROM) {
    const date = fields.isDate(name) ? fields.date(name) : undefined
    if (date && Date.parse(date) > now) reasons.push(`${name} is in the future`)
  }
  for (const name of UNTIL) {
    const date = fields.date(name)
    if (date && Date.parse(date) <= now) reasons.push(`${name} is in the past`)
  }
  if (/(^|\/)_drafts\//i.test(file)) reasons.push('it is in _drafts')
  if (/(^|\/)_[^/]*$/.test(file)) reasons.push('its name begins with _')
  return reasons
}

/** An article isn't public before any of these. Hugo, Jekyll, Astro and others have names of their own. */
const FROM = ['date', 'publishDate', 'pubDate', 'published', 'published_at', 'publishedAt']
const UNTIL = ['expiryDate', 'unpublishDate']
