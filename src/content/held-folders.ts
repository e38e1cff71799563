import { access } from 'node:fs/promises'
import path from 'node:path'
import { ContentProblem } from './content-record.ts'
import { splitFrontMatter } from './front-matter.ts'
import { whyFieldsHold } from './held-back.ts'
import { RecordFields } from './record-fields.ts'

/**
 * What files hold back for others: Zola's draft of a section, Hugo's `cascade`, a bundle whose `index.md` is a draft, and the data files of Eleventy. If such
 * a file can't be read, everything that it may mean is held back.
 */
export class HeldFolders {
  readonly #root: string
  readonly #now: number
  readonly #read: (file: string) => Promise<string | undefined>
  /** By folder (`posts/`, the imported one is empty), by its page (`posts/*`), or by file without its extension (`posts/salt`). */
  readonly #reasons = new Map<string, string>()

  /**
   * @param root the path of the imported folder
   * @param read gives the text of a file, undefined if it is too long
   */
  constructor(root: string, now: number, read: (file: string) => Promise<string | undefined>) {
    this.#root = root
    this.#now = now
    this.#read = read
  }

  /** Looks into a file that may hold others back. To be told of all files before `why` is asked. */
  async look(file: string): Promise<void> {
    const folder = folderOf(file)
    const name = path.posix.basename(file)
    if (SECTION.test(name) || (PAGE.test(name) && folder !== '')) {
      const what = PAGE.test(name) ? `${folder}*` : folder
      await this.#keep(what, file, (text) => whySectionHolds(text, name, this.#now))
      return
    }
    const data = DATA.exec(name)?.[1]
    if (data === undefined) return
    const nameOfFolder = path.basename(folder === '' ? this.#root : folder)
    if (data === nameOfFolder && data !== 'package') {
      await this.#keep(folder, file, (text) => whyDataHold(text, this.#now))
    } else if (await this.#hasArticle(`${folder}${data}`)) {
      await this.#keep(`${folder}${data}`, file, (text) => whyDataHold(text, this.#now))
    }
  }

  /** Why an article is held back by another file: in words. */
  why(file: string): string | undefined {
    const own = this.#reasons.get(file.replace(/\.\w+$/, ''))
    if (own !== undefined) return own
    const isPage = PAGES.test(path.posix.basename(file))
    for (let folder = folderOf(file); ; folder = folderOf(folder.slice(0, -1))) {
      const byPage = isPage && folder === folderOf(file) ? undefined : this.#reasons.get(`${folder}*`)
      const reason = this.#reasons.get(folder) ?? byPage
      if (reason !== undefined || folder === '') return reason
    }
  }

  async #keep(what: string, file: string, whyHeld: (text: string) => readonly string[]): Promise<void> {
    const [reason] = await this.#read(file)
      .then((text) => (text === undefined ? ["can't be read"] : whyHeld(text)))
      .catch((error: Error) => {
        if (error instanceof ContentProblem || 'syscall' in error) return ["can't be read"]
        throw error
      })
    if (reason !== undefined && !this.#reasons.has(what))
      this.#reasons.set(what, `it is held back by ${file}: ${reason}`)
  }

  async #hasArticle(name: string): Promise<boolean> {
    for (const extension of ['md', 'markdown', 'mdx']) {
      const found = access(path.join(this.#root, `${name}.${extension}`)).then(
        () => true,
        () => false,
      )
      if (await found) return true
    }
    return false
  }
}

const SECTION = /^_index\..*?(md|markdown|mdx)$/is
/** Not README.md, which describes a folder. */
const PAGE = /^index\.(?:md|markdown|mdx)$/i
/** The page of a folder, in any language: none of them holds another back. */
const PAGES = /^index\.(?:[\w-]+\.)?(?:md|markdown|mdx)$/i
const DATA = /^(.+?)(?:\.11tydata)?\.json$/is

/** With a slash at its end. The imported folder is empty. */
const folderOf = (file: string): string => file.slice(0, file.lastIndexOf('/') + 1)

/** The page of a folder holds others back by being a draft, and by `cascade`; what else it says is about itself. */
function whySectionHolds(text: string, name: string, now: number): readonly string[] {
  const { fields } = splitFrontMatter(text)
  const flags = SECTION.test(name) ? ['draft', 'isDraft'] : ['draft', 'isDraft', 'headless']
  const own = flags.filter((flag) => fields.flag(flag)).map((flag) => `${flag} is true`)
  const cascade = fields.find('cascade')?.value
  const cascades: readonly unknown[] = Array.isArray(cascade) ? cascade : [cascade]
  return [...own, ...cascades.flatMap((it) => whyObjectHolds(it, now).map((reason) => `cascade.${reason}`))]
}

function whyDataHold(text: string, now: number): readonly string[] {
  try {
    return whyObjectHolds(JSON.parse(text), now)
  } catch (error) {
    if (error instanceof SyntaxError) return ["can't be read"]
    throw error
  }
}

const whyObjectHolds = (value: unknown, now: number): readonly string[] =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? []
    : whyFieldsHold(new RecordFields(value, () => 1), now)
