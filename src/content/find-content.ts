import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { isBelow, LEADS_OUT, NOT_REGULAR } from './open-file.ts'

export interface FoundFile {
  /** Relative to the folder, with forward slashes. */
  readonly file: string
  /** Why it can't be read. */
  readonly problem?: string
  /** Why it isn't read, though nothing is wrong with it. */
  readonly unread?: string
}

export const MARKDOWN = /\.(md|markdown|mdx)$/i
export const JSON_LINES = /\.jsonl$/i
/** Only if it is named itself: a folder holds feeds and sitemaps, too. */
export const WORDPRESS = /\.(xml|wxr)$/i
/** Not Hugo's `_index.md`, which describes a section and is not an article. */
const ARTICLE = /^(?!_index\.).*\.(md|markdown|mdx)$/is

/**
 * Finds JSON Lines first, so that their users and tags exist before articles name them; then Markdown files. Always in the
 * same order. Names all other files as unread. Doesn't look into node_modules, nor into folders whose names start with a dot.
 *
 * Follows a link to a file or folder below `root`, unless that is found without it: each file is found once. Reports a link that
 * leads out of `root`, and looks at nothing behind it.
 *
 * @param root without links in its own path
 */
export async function* findContent(root: string): AsyncGenerator<FoundFile> {
  yield* new Walk(root, JSON_LINES).below('', root)
  // The first walk has reported the folders that can't be read.
  for await (const found of new Walk(root, ARTICLE).below('', root)) {
    if (!found.problem || ARTICLE.test(path.basename(found.file))) yield found
  }
}

/** One walk through a folder, for files whose names match. */
class Walk {
  readonly #root: string
  readonly #name: RegExp
  /** The files and folders that links have led to. */
  readonly #followed = new Set<string>()

  constructor(root: string, name: RegExp) {
    this.#root = root
    this.#name = name
  }

  /** @param real where the folder is, without links */
  async *below(folder: string, real: string): AsyncGenerator<FoundFile> {
    const found = await readdir(real, { withFileTypes: true }).catch((error: Error) => error.message)
    if (typeof found === 'string') {
      yield { file: folder, problem: `cannot be read: ${found}` }
      return
    }
    for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const target = path.join(real, entry.name)
      if (this.#followed.has(target)) continue
      const file = path.posix.join(folder, entry.name)
      if (isSkipped(entry.name)) yield* this.#unread(file, 'is hidden, or node_modules')
      else if (entry.isDirectory()) yield* this.below(file, target)
      else if (entry.isSymbolicLink()) yield* this.#follow(file, target)
      else if (this.#name.test(entry.name)) yield entry.isFile() ? { file } : { file, problem: NOT_REGULAR }
      else yield* this.#unread(file, whyUnread(entry.name))
    }
  }

  /** The walk for JSON Lines names nothing: the one for articles comes to the same files. */
  *#unread(file: string, unread: string): Generator<FoundFile> {
    if (this.#name === ARTICLE && !JSON_LINES.test(file)) yield { file, unread }
  }

  async *#follow(file: string, link: string): AsyncGenerator<FoundFile> {
    const isContent = this.#name.test(path.basename(file))
    const real = await realpath(link).catch(() => undefined)
    const target = real === undefined ? undefined : await lstat(real).catch(() => undefined)
    if (real === undefined || !target) {
      if (isContent) yield { file, problem: 'is a link that leads nowhere' }
      else yield* this.#unread(file, 'is a link that leads nowhere')
      return
    }
    const isDirectory = target.isDirectory()
    if (!isContent && !isDirectory) {
      yield* this.#unread(file, whyUnread(path.basename(file)))
    } else if (real !== this.#root && !isBelow(this.#root, real)) {
      yield { file, problem: LEADS_OUT }
    } else if (!this.#finds(real, isDirectory)) {
      this.#followed.add(real)
      if (isDirectory) yield* this.below(file, real)
      else yield target.isFile() ? { file } : { file, problem: NOT_REGULAR }
    }
  }

  /** Whether this walk comes to what has no links in its path: from the root, or from a folder that a link has led to. */
  #finds(real: string, isDirectory: boolean): boolean {
    if (this.#followed.has(real)) return true
    if (!isDirectory && !this.#name.test(path.basename(real))) return false
    for (let above = real; above !== this.#root && !this.#followed.has(above); above = path.dirname(above)) {
      if (isSkipped(path.basename(above))) return false
    }
    return true
  }
}

function whyUnread(name: string): string {
  if (MARKDOWN.test(name)) return 'describes a section, and is not an article'
  return WORDPRESS.test(name)
    ? 'is XML: a WordPress export is read if it is named itself'
    : 'is neither Markdown nor JSON Lines'
}

const isSkipped = (name: string): boolean => name.startsWith('.') || name === 'node_modules'
