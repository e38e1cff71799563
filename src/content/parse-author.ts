import { isVisible } from '../kernel/visible.ts'
import { type AuthorName, authorNamed, usernameOf } from './content-record.ts'
import type { RecordFields } from './record-fields.ts'

interface ParsedAuthor {
  readonly author?: AuthorName
  /** What comes in otherwise than it is written, in words. */
  readonly notes: readonly string[]
}

/**
 * The author that front matter names as `author`, `authors` or `by`; in `extra` (Zola), `params` (Hugo) and `taxonomies` if not outside of them. Each may be a name,
 * `Name <address>`, an object with `name`, `username` and `email`, or a list, of which the first counts.
 *
 * Throws a ContentProblem for an object without a name, and for what is too long.
 */
export function parseAuthor(fields: RecordFields): ParsedAuthor {
  const found = fields.findNested(['extra', 'params', 'taxonomies'], 'author', 'authors', 'by')
  const given: readonly unknown[] = Array.isArray(found?.value) ? found.value : [found?.value]
  const people = given.filter((person) =>
    typeof person === 'object' ? person !== null : isVisible(String(person ?? '')),
  )
  if (!found || given.length === 0) return { notes: [] }
  if (people.length === 0) return { notes: [`its ${found.name} holds nothing that can be seen, and is left out`] }
  const { name, username, email } = partsOf(people[0])
  const displayName = name ?? username
  if (displayName === undefined) throw fields.problem(found.name, 'has neither a name nor a username')
  for (const text of [displayName, username ?? '']) fields.checkLength(found.name, text, 100)
  fields.checkLength(found.name, email ?? '', 254)
  const notes: string[] = []
  if (people.length > 1) notes.push(`names ${people.length} authors, of whom the first counts: ${displayName}`)
  const isAddress = email !== undefined && EMAIL.test(email)
  if (email !== undefined && !isAddress) {
    notes.push(`the e-mail address of its author is none, and is left out: ${JSON.stringify(email)}`)
  }
  const address = isAddress ? { email } : {}
  const author = username === undefined ? authorNamed(displayName) : { username: usernameOf(username), displayName }
  return { author: { ...author, ...address }, notes }
}

/** As the table has it. */
export const EMAIL = /^[^@\s]+@[^@\s]+$/

/** Not what stands beside the name in a list or an object: it may hold itself, or be nested deeper than the stack allows. */
function partsOf(person: unknown): { readonly name?: string; readonly username?: string; readonly email?: string } {
  if (typeof person !== 'object' || person === null) {
    const text = textOf(person) ?? ''
    const { name, email } = /^(?<name>[^<>]+?)\s*<(?<email>[^<>\s]+@[^<>\s]+)>$/.exec(text)?.groups ?? {}
    return name && email ? { name, email } : { name: text }
  }
  const parts = new Map(Object.entries(person).map(([key, value]) => [key.toLowerCase(), textOf(value)]))
  const first = (...keys: string[]) => keys.map((key) => parts.get(key)).find((text) => text !== undefined)
  const found = {
    name: first('name', 'displayname', 'display_name'),
    username: first('username', 'handle', 'login', 'slug'),
    email: first('email', 'mail'),
  }
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined))
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'object' ? '' : String(value ?? '').trim()
  return isVisible(text) ? text : undefined
}
