import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { parseUrl } from '../kernel/parse-url.ts'
import type { SlugChoice } from './choose-slugs.ts'
import { ContentProblem, usernameOf } from './content-record.ts'
import {
  articleOf,
  authorOf,
  givenSlug,
  nameOf,
  tagOf,
  titleSlug,
  type WordpressNames,
  whyUnread,
} from './parse-wordpress.ts'
import { readWordpress, type WordpressElement } from './read-wordpress.ts'
import type { Reading } from './reading.ts'

interface Options {
  /** Opens the export, from its beginning. */
  readonly open: () => Promise<FileHandle>
  /** The name of the export, for messages. */
  readonly file: string
  readonly author: string
  readonly now: number
  readonly slugs: SlugChoice
  /** Once it is aborted, `prepare` returns early. */
  readonly signal?: AbortSignal | undefined
  /** UTF-16 code units of one element. */
  readonly maxLength: number
}

/** A WordPress export. It is read twice: first for its names, of which no two may be the same, then for its records. */
export class WordpressSource {
  readonly #options: Options
  readonly #given = new Set<string>()
  /** The drafts that WordPress has given no slug, and the slug of their titles. */
  readonly #open: { readonly path: string; readonly slug: string; readonly id: string }[] = []
  /** The logins that make a username. */
  readonly #logins = new Map<string, Set<string>>()

  constructor(options: Options) {
    this.#options = options
  }

  /** Reads the names. Returns how many readings `read` will yield, but for those of what isn't read. */
  async prepare(): Promise<number> {
    let count = 0
    const seen = new Set<string>()
    try {
      for await (const element of this.#elements()) {
        if (this.#options.signal?.aborted) break
        if (whyUnread(element) ?? whyRepeated(element, seen)) continue
        count++
        this.#claim(element)
      }
    } catch (error) {
      problemOf(error)
      count++
    }
    for (const { path, slug, id } of this.#open) this.#options.slugs.claim(path, this.#slugFor(slug, id))
    return count
  }

  /** After `prepare`. */
  async *read(): AsyncGenerator<Reading> {
    const { file, author, now } = this.#options
    const names: WordpressNames = {
      author,
      now,
      slugOf: (item) => this.#slugOf(item),
      usernameOf: (login) => this.#usernameOf(login),
    }
    const seen = new Set<string>()
    try {
      for await (const element of this.#elements()) yield readElement(element, { file, names, seen })
    } catch (error) {
      const { line, message } = problemOf(error)
      yield { at: { file, line }, problem: message }
    }
  }

  async *#elements(): AsyncGenerator<WordpressElement> {
    yield* readWordpress(await this.#options.open(), this.#options.maxLength)
  }

  #claim(element: WordpressElement): void {
    const login = element.fields.get(element.name === 'item' ? 'dc:creator' : 'wp:author_login')?.text.trim()
    if (login) {
      const username = usernameOf(login.slice(0, MAX_LOGIN))
      this.#logins.set(username, (this.#logins.get(username) ?? new Set()).add(login.slice(0, MAX_LOGIN)))
    }
    if (element.name !== 'item') return
    const slug = givenSlug(element)
    if (slug === undefined) {
      this.#open.push({ path: pathOf(element), slug: titleSlug(element), id: idOf(element) })
    } else {
      this.#given.add(slug)
      this.#options.slugs.claim(pathOf(element), slug)
    }
  }

  #slugOf(item: WordpressElement): string {
    const slug = givenSlug(item) ?? this.#slugFor(titleSlug(item), idOf(item))
    return this.#options.slugs.slugOf(pathOf(item), slug)
  }

  /** A draft takes no slug away from an article that has an address already. */
  #slugFor(slug: string, id: string): string {
    return this.#given.has(slug) ? `${slug}-${id}` : slug
  }

  /** Two logins of one blog are two people, even if they make the same username. */
  #usernameOf(login: string): string {
    const username = usernameOf(login)
    if (login === username || (this.#logins.get(username)?.size ?? 0) < 2) return username
    return `${username.slice(0, 30)}-${createHash('sha256').update(login).digest('hex').slice(0, 8)}`
  }
}

const MAX_LOGIN = 100

function readElement(
  element: WordpressElement,
  { file, names, seen }: { readonly file: string; readonly names: WordpressNames; readonly seen: Set<string> },
): Reading {
  const at = { file, line: element.line }
  const unread = whyUnread(element) ?? whyRepeated(element, seen)
  if (unread !== undefined) return { at, unread }
  if (element.problem !== undefined) return { at, problem: element.problem }
  const bytes = [...element.fields.values()].reduce((sum, { text }) => sum + text.length, 0)
  try {
    if (element.name === 'item') return { at, ...articleOf(element, names), unreadFields: [], bytes }
    const { record, notes } =
      element.name === 'wp:author' ? authorOf(element, names) : { record: tagOf(element), notes: [] }
    return { at, record, notes, heldBack: [], unreadFields: [], bytes }
  } catch (error) {
    const { line, message } = problemOf(error)
    return { at: { file, line }, problem: message }
  }
}

/** WordPress keeps categories and tags apart, and both may have a slug. A name that can't be read is reported when the element is. */
function whyRepeated(element: WordpressElement, seen: Set<string>): string | undefined {
  if (element.problem !== undefined) return undefined
  try {
    const name = nameOf(element)
    if (name === undefined) return undefined
    if (seen.has(name)) return 'has the name of another tag or author of the export'
    seen.add(name)
  } catch (error) {
    problemOf(error)
  }
  return undefined
}

function problemOf(error: unknown): { readonly line: number; readonly message: string } {
  if (error instanceof ContentProblem) return error
  if (error instanceof Error && 'syscall' in error) return { line: 1, message: `cannot be read: ${error.message}` }
  throw error
}

/** The folders of an item's address, and its number: what tells two items of one slug apart. */
function pathOf(item: WordpressElement): string {
  const link = item.fields.get('link')?.text.trim() ?? ''
  const folders = parseUrl(link)?.pathname.split('/').filter(Boolean).slice(0, -1) ?? []
  return [...folders, idOf(item)].join('/')
}

const idOf = ({ fields, line }: WordpressElement): string => fields.get('wp:post_id')?.text.trim() || `line-${line}`
