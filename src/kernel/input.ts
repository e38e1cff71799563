import { ClientError } from './errors.ts'
import { parseUrl } from './parse-url.ts'
import { escapeUnseen, isVisible } from './visible.ts'

// Checks of input fields. Each throws BAD_USER_INPUT, whose message names the field, what it must be and what came.

export const badInput = (field: string | undefined, message: string): ClientError =>
  new ClientError('BAD_USER_INPUT', message, { field })

/** The name and value of the one argument that was given. */
export function exactlyOne<Name extends string>(
  args: { readonly [name in Name]?: string | null | undefined },
): [Name, string] {
  const given = (Object.entries(args) as [Name, string | null | undefined][]).filter(([, value]) => value != null)
  const [one, other] = given
  const names = Object.keys(args)
  if (!one) throw badInput(undefined, `Give either ${names.join(' or ')}: neither was given.`)
  if (other) {
    const values = given.map(([name, value]) => `${name} ${quote(String(value))}`)
    throw badInput(other[0], `Give either ${names.join(' or ')}, not both ${values.join(' and ')}.`)
  }
  return [one[0], checkName(one[0], String(one[1]))]
}

/** A slug or username to look something up by. */
export const checkName = (field: string, name: string): string => checkLength(field, name, { max: MAX_NAME })

/** Longer than any id, slug or username. Names become part of cache keys, so their length must have a bound. */
const MAX_NAME = 300

/** A text of the client's as it may stand in a message: as JSON, cut off after 100 characters, with escapes for what can't be seen. */
export const quote = (text: string): string => escapeUnseen(JSON.stringify(cut(text)))

/** The first 100 characters. */
export const cut = (text: string): string =>
  text.length > 100 ? `${text.slice(0, 100).replace(HALF_A_PAIR, '')}…` : text

const HALF_A_PAIR = /[\uD800-\uDBFF]$/

/** Refuses a text that PostgreSQL can't store, or does not give back as it came. */
export function checkText(field: string, text: string): string {
  if (!/[\0\p{Surrogate}]/u.test(text)) return text
  throw badInput(field, `${field} holds U+0000 or half a surrogate pair, which can't be stored: ${quote(text)}.`)
}

/** @param limits in characters (code points). With a `min`, a text without anything that can be seen is refused too. */
export function checkLength(
  field: string,
  text: string,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): string {
  checkText(field, text)
  if (min > 0 && text !== '' && !isVisible(text)) {
    throw badInput(field, `${field} must have something that can be seen; ${quote(text)} has nothing.`)
  }
  const length = [...text].length
  if (length >= min && length <= max) return text
  const wanted = min > 0 ? `${min} to ${max}` : `at most ${max}`
  throw badInput(field, `${field} must have ${wanted} characters; ${quote(text)} has ${length}.`)
}

export function checkPattern(field: string, text: string, pattern: RegExp, wanted: string): string {
  if (pattern.test(text)) return text
  throw badInput(field, `${field} must be ${wanted}, not ${quote(text)}.`)
}

/** Refuses what is no absolute URL of http or https with a host, or holds a user name or a password. */
export function checkUrl(field: string, url: string, max: number): string {
  checkLength(field, url, { max })
  if (WEB_URL.test(url) && escapeUnseen(url) === url && parseUrl(url)) return url
  throw badInput(field, `${field} must be an http or https URL such as "https://example.com/a.png", not ${quote(url)}.`)
}

/**
 * `URL` alone forgives too much: it skips tabs and line breaks, reads `https:///x` and `https:\\x` as `https://x`, and takes user
 * names. What RFC 3986 leaves out is refused, but for letters beyond ASCII and square brackets, which
 * browsers take.
 */
const WEB_URL =
  /^https?:\/\/(?=[^/?#]*[\p{L}\p{N}])(?!.*%(?![\da-fA-F]{2}))(?!.*#.*#)[^/?#@\s"<>\\^`{|}]+(?:[/?#][^\s"<>\\^`{|}]*)?$/u

export const checkSlug = (field: string, slug: string, max: number): string =>
  checkPattern(
    field,
    checkLength(field, slug, { min: 1, max }),
    /^[a-z0-9]+(-[a-z0-9]+)*$/,
    'words of lower-case letters and digits joined by "-"',
  )

/** The fields that were given. A field that is null counts as not given. */
export function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}
