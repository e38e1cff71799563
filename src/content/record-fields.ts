import { MAX_COUNT } from '../kernel/ranges.ts'
import { isVisible } from '../kernel/visible.ts'
import { ContentProblem } from './content-record.ts'
import { parseDate } from './parse-date.ts'

/**
 * Reads and checks fields of YAML, TOML or JSON. Front matter gives its scalars as text, JSON Lines as JSON has them. A field may have several names; the first
 * name that has a value counts. Upper or lower case, hyphens, underscores and spaces in a name don't: `pub_date` is `pubDate`. Null and '' count as absent. Throws
 * a ContentProblem with the field's line for a wrong value, and for a name that is written in two ways with two values.
 */
export class RecordFields {
  readonly #fields = new Map<string, Field[]>()
  readonly #lineOf: (name: string) => number
  readonly #lookedUp = new Set<string>()
  readonly #inner = new Map<string, RecordFields>()
  readonly #notes = new Set<string>()

  constructor(values: object, lineOf: (name: string) => number) {
    for (const [written, value] of Object.entries(values)) {
      const name = canonicalName(written)
      const fields = this.#fields.get(name)
      if (fields) fields.push({ written, value })
      else this.#fields.set(name, [{ written, value }])
    }
    this.#lineOf = lineOf
  }

  get isEmpty(): boolean {
    return this.#fields.size === 0
  }

  /** What was left out of the fields that were read, in words. */
  get notes(): readonly string[] {
    return [...this.#notes]
  }

  /**
   * The names of the fields that have a value, and that nobody has looked up, in lower case: `params.weight` for one in an object that
   * others were looked up in.
   */
  get unread(): readonly string[] {
    return [...this.#fields].flatMap(([name, fields]) => {
      const written = fields[0]?.written.toLowerCase() ?? name
      const inner = this.#inner.get(name)
      if (inner) return inner.unread.map((each) => `${written}.${each}`)
      return this.#lookedUp.has(name) || fields.every(({ value }) => isAbsent(value)) ? [] : [written]
    })
  }

  /** The first of `names` that has a value. */
  find(...names: string[]): { name: string; value: unknown } | undefined {
    for (const name of names) {
      const value = this.#valueOf(name)
      if (!isAbsent(value)) return { name, value }
    }
    return undefined
  }

  /** Like `find`. Otherwise looks into the objects `parents`, one after the other. */
  findNested(parents: readonly string[], ...names: string[]): { name: string; value: unknown } | undefined {
    const outer = this.find(...names)
    if (outer) return outer
    for (const parent of parents) {
      const found = this.inner(parent)?.find(...names)
      if (found) return found
    }
    return undefined
  }

  /** The fields of an object. Undefined if the field is none. */
  inner(parent: string): RecordFields | undefined {
    const name = canonicalName(parent)
    const known = this.#inner.get(name)
    if (known) return known
    const value = this.#fields.get(name)?.find(({ value }) => !isAbsent(value))?.value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const inner = new RecordFields(value, this.#lineOf)
    this.#inner.set(name, inner)
    return inner
  }

  /** The value of a field, null and '' included. */
  #valueOf(name: string): unknown {
    const canonical = canonicalName(name)
    this.#lookedUp.add(canonical)
    const fields = this.#fields.get(canonical) ?? []
    const [first, ...others] = fields.filter(({ value }) => !isAbsent(value))
    const other = others.find(({ value }) => !isSame(value, first?.value))
    if (first && other) {
      throw new ContentProblem(
        this.#lineOf(other.written),
        `${first.written} and ${other.written} are one field, with two values`,
      )
    }
    return (first ?? fields[0])?.value
  }

  /** True if the field is present, even if it is null. */
  names(name: string): boolean {
    this.#lookedUp.add(canonicalName(name))
    return this.#fields.has(canonicalName(name))
  }

  /** The text of a field, trimmed. Undefined, with a note, if nothing of it can be seen. Numbers and booleans are accepted, as JSON Lines may have them. */
  text(maxLength: number, ...names: string[]): string | undefined {
    const found = this.find(...names)
    if (!found) return undefined
    if (typeof found.value === 'object') throw this.problem(found.name, 'should be text')
    const text = String(found.value).trim()
    this.checkLength(found.name, text, maxLength)
    if (isVisible(text)) return text
    this.note(`its ${found.name} holds nothing that can be seen, and is left out`)
    return undefined
  }

  note(text: string): void {
    this.#notes.add(text)
  }

  /** The text of a field, unchanged. Accepts no numbers and booleans. */
  verbatim(maxLength: number, name: string): string | undefined {
    const value = this.#valueOf(name)
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string') throw this.problem(name, 'should be text')
    this.checkLength(name, value, maxLength)
    return value
  }

  /** The first of `names` that has a value. Hugo's zero date is none, nor is what `isFileTime`. */
  date(...names: string[]): string | undefined {
    const found = this.find(...names)
    if (!found || isFileTime(found.value)) return undefined
    const date = this.#instant(found)
    return Date.parse(date) === ZERO_MS ? undefined : date
  }

  /** A date that may be any that the tables hold. */
  instant(name: string): string | undefined {
    const found = this.find(name)
    return found && this.#instant(found)
  }

  #instant({ name, value }: { readonly name: string; readonly value: unknown }): string {
    const date = typeof value === 'string' ? parseDate(value) : undefined
    if (!date)
      throw this.problem(name, `is not a date: ${quote(value)}; write it as 2024-01-31, in the years 1 to 9999`)
    return date
  }

  /** True if the field is text that reads as a date. */
  isDate(name: string): boolean {
    const value = this.find(name)?.value
    return typeof value === 'string' && parseDate(value) !== undefined
  }

  /** True if the field is false, for a field that otherwise holds no flag. */
  isFalse(name: string): boolean {
    const value = this.find(name)?.value
    return value === false || (typeof value === 'string' && /^(false|no|off)$/i.test(value))
  }

  flag(name: string): boolean | undefined {
    const value = this.find(name)?.value
    if (value === undefined || typeof value === 'boolean') return value
    const text = typeof value === 'object' ? '' : String(value)
    if (/^(true|yes|on|y|1)$/i.test(text)) return true
    if (/^(false|no|off|n|0)$/i.test(text)) return false
    throw this.problem(name, `should be true or false, not ${quote(value)}`)
  }

  count(name: string): number | undefined {
    const value = this.find(name)?.value
    if (value === undefined) return undefined
    const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
    if (typeof count === 'number' && Number.isInteger(count) && count >= 0) {
      if (count <= MAX_COUNT) return count
      throw this.problem(name, `is ${value}; at most ${MAX_COUNT} fit`)
    }
    throw this.problem(name, `should be a whole number, not ${quote(value)}`)
  }

  oneOf<T extends string>(choices: readonly T[], name: string): T | undefined {
    const value = this.find(name)?.value
    const choice = choices.find((it) => it === value)
    if (value !== undefined && !choice) {
      throw this.problem(name, `should be one of ${choices.join(', ')}, not ${quote(value)}`)
    }
    return choice
  }

  /** Refuses far more tags than an article needs: each is looked up in the database, and may be made there. */
  checkTags(name: string, tags: readonly unknown[], max = MAX_TAGS): void {
    if (tags.length > max) throw this.problem(name, `has ${tags.length} names; at most ${max} are read`)
  }

  checkLength(name: string, text: string, maxLength: number): void {
    const length = text.length > maxLength ? Array.from(text).length : text.length
    if (length > maxLength) throw this.problem(name, `has ${length} characters; at most ${maxLength} fit`)
    if (UNSTORABLE.test(text)) throw this.problem(name, HOLDS_UNSTORABLE)
  }

  problem(name: string, message: string): ContentProblem {
    const written = this.#fields.get(canonicalName(name))?.[0]?.written
    return new ContentProblem(this.#lineOf(written ?? name), `${name} ${message}`)
  }
}

interface Field {
  /** Its name, as it is written. */
  readonly written: string
  readonly value: unknown
}

const canonicalName = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, '')

/** Two lists or objects are not compared: they may hold themselves. */
const isSame = (one: unknown, other: unknown): boolean =>
  typeof one !== 'object' && typeof other !== 'object' && String(one) === String(other)

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''

const MAX_TAGS = 1000

/** What Go, and so Hugo, has for no date at all. */
const ZERO_MS = Date.parse('0001-01-01T00:00:00Z')

/** What Eleventy looks up in the file system, or in Git. */
export const isFileTime = (value: unknown): boolean =>
  typeof value === 'string' && /^\s*(?:git )?(?:created|last modified)\s*$/i.test(value)

/** Finds the line of a file that names a field first, in the text of its front matter. */
export function lineFinder(matter: string, firstLine: number): (name: string) => number {
  return (name) => {
    const escaped = name.replace(/[^\w\s-]/g, '\\$&')
    const key = new RegExp(`^[ \\t{]*["']?${escaped}["']?[ \\t]*[:=]`, 'im').exec(matter)
    return key ? firstLine + matter.slice(0, key.index).split('\n').length - 1 : 1
  }
}

/** A list or an object is not quoted: it may hold itself, or be nested deeper than the stack allows. */
function quote(value: unknown): string {
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** What PostgreSQL can't store, or does not give back as it came. */
export const UNSTORABLE = /[\0\p{Surrogate}]/u
export const HOLDS_UNSTORABLE = "holds NUL (U+0000) or half a surrogate pair, which can't be stored"
