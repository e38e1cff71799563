import { ClientError } from './errors.ts'

// Checks of input fields. Each throws BAD_USER_INPUT, whose message names the field, what it must be and what came.

/** The name and value of the one argument that was given. */
export function exactlyOne<Name extends string>(
  args: { readonly [name in Name]?: string | null | undefined },
): [Name, string] {
  const given = (Object.entries(args) as [Name, string | null | undefined][]).filter(([, value]) => value != null)
  const [one] = given
  if (given.length !== 1 || !one) {
    const names = Object.keys(args).join(' and ')
    throw new ClientError('BAD_USER_INPUT', `Give exactly one of ${names}; ${given.length} were given.`)
  }
  return [one[0], checkName(one[0], String(one[1]))]
}

/** A slug or username to look something up by. */
export const checkName = (field: string, name: string): string => checkLength(field, name, { max: MAX_NAME })

/** Longer than any id, slug or username. Names become part of cache keys, so their length must have a bound. */
const MAX_NAME = 300

/** A text of the client's as it may stand in a message: in quotes, and cut off after 100 characters. */
export const quote = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)

/** Refuses a text that PostgreSQL can't store, or does not give back as it came. */
export function checkText(field: string, text: string): string {
  if (/[\0\p{Surrogate}]/u.test(text)) {
    throw new ClientError('BAD_USER_INPUT', `${field} holds U+0000 or half a surrogate pair, which can't be stored.`, {
      field,
    })
  }
  return text
}

/** @param limits in characters (code points). With a `min`, a text of blanks alone is refused too. */
export function checkLength(
  field: string,
  text: string,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): string {
  checkText(field, text)
  if (min > 0 && text.length > 0 && text.trim() === '') {
    throw new ClientError('BAD_USER_INPUT', `${field} must not be blank.`, { field })
  }
  const length = [...text].length
  if (length < min || length > max) {
    const wanted = min > 0 ? `${min} to ${max}` : `at most ${max}`
    throw new ClientError('BAD_USER_INPUT', `${field} must have ${wanted} characters, not ${length}.`, { field })
  }
  return text
}

export function checkPattern(field: string, text: string, pattern: RegExp, wanted: string): string {
  if (!pattern.test(text)) {
    throw new ClientError('BAD_USER_INPUT', `${field} must be ${wanted}, not ${quote(text)}.`, { field })
  }
  return text
}

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
