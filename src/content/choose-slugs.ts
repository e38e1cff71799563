import { createHash } from 'node:crypto'
import path from 'node:path'
import { slugify } from '../domain/slugify.ts'

/**
 * Chooses the slugs of the Markdown files of a folder, so that no two have the same. The choice depends on the files alone, not
 * on their order: if several files claim a slug, each gets one made from its path.
 *
 * @example posts/salt.md and notes/salt.md get `posts-salt` and `notes-salt`; salt.md beside them keeps `salt`
 */
export class SlugChoice {
  readonly #fromPath: boolean
  readonly #claims = new Map<string, string[]>()
  #pathClaims: Map<string, number> | undefined

  /** @param fromPath true if every slug is made from a path, also where the name alone would do */
  constructor(fromPath: boolean) {
    this.#fromPath = fromPath
  }

  /** Every file claims the slug that it names, or that its name gives, before the first is chosen. */
  claim(file: string, slug: string): void {
    const files = this.#claims.get(slug)
    if (files) files.push(file)
    else this.#claims.set(slug, [file])
  }

  /** @param slug what the file claims */
  slugOf(file: string, slug: string): string {
    if (!this.#needsPath(slug)) return slug
    const long = pathSlug(file, slug)
    this.#pathClaims ??= this.#countPathClaims()
    const isTaken = (this.#pathClaims.get(long) ?? 0) > 1 || (long !== slug && this.#isKept(long))
    return isTaken ? slugify(`${long} ${createHash('sha256').update(file).digest('hex').slice(0, 8)}`, 200) : long
  }

  #needsPath(slug: string): boolean {
    return this.#fromPath || (this.#claims.get(slug)?.length ?? 0) > 1
  }

  /** True if a file gets this slug because it alone claims it. */
  #isKept(slug: string): boolean {
    return this.#claims.has(slug) && !this.#needsPath(slug)
  }

  #countPathClaims(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const [slug, files] of this.#claims) {
      if (!this.#needsPath(slug)) continue
      for (const file of files) {
        const long = pathSlug(file, slug)
        counts.set(long, (counts.get(long) ?? 0) + 1)
      }
    }
    return counts
  }
}

/** Undoes the percent-encoding of a slug in an address. Returns what is none as it is. */
export function decodedSlug(slug: string): string {
  try {
    return decodeURIComponent(slug)
  } catch {
    return slug
  }
}

/** The folders of a file and the slug that it claims. The folder of a bundle (`salt/index.md`) is its name already. */
function pathSlug(file: string, slug: string): string {
  const folder = INDEX.test(path.posix.basename(file))
    ? path.posix.dirname(path.posix.dirname(file))
    : path.posix.dirname(file)
  return slugify(folder === '.' ? slug : `${folder}/${slug}`, 200)
}

/** Matches the names of files that have the names of their folders: `index.md`, `index.de.md`, `README.md`, and `page.mdx` as Next has it. */
export const INDEX = /^(?:(?:index|readme)(?![a-z0-9])|page\.mdx$)/i
