import { isUtf8 } from 'node:buffer'
import { realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { SlugChoice } from './choose-slugs.ts'
import { ContentProblem, type Place } from './content-record.ts'
import { type FoundFile, findContent, JSON_LINES, MARKDOWN, WORDPRESS } from './find-content.ts'
import { openFile, readWhole } from './open-file.ts'
import { parseJsonLine } from './parse-json-line.ts'
import { readLines } from './read-lines.ts'
import type { Reading } from './reading.ts'

/** A folder, a Markdown file or a JSON Lines file, read one record at a time. */
export interface ContentSource {
  /** Looks at all files once, to choose their slugs. Returns how many readings `read` will yield, but for unread files. */
  prepare(): Promise<number>
  /** After `prepare`. */
  read(): AsyncGenerator<Reading>
}

/**
 * Opens what `location` names: a folder, a Markdown file or a JSON Lines file. Throws if there is no such thing.
 *
 * @param author the author of Markdown files that name none
 * @param slugsFromPath true if every slug is made from its file's path
 * @param signal once it is aborted, `prepare` returns early. What it returns is then no total
 */
export async function openContentSource(
  location: string,
  {
    author,
    slugsFromPath,
    signal,
  }: { readonly author: string; readonly slugsFromPath: boolean; readonly signal?: AbortSignal | undefined },
): Promise<ContentSource> {
  const slugs = new SlugChoice(slugsFromPath)
  const now = Date.now()
  const { root, files, wordpress } = await look(location).catch((error: Error) => {
    throw new Error(`Cannot import "${location}": ${error.message}`, { cause: error })
  })
  if (wordpress !== undefined) {
    const { WordpressSource } = await import('./wordpress-source.ts')
    const open = () => openFile(root, wordpress)
    return new WordpressSource({ open, file: wordpress, author, now, slugs, signal, maxLength: MAX_BYTES })
  }
  const { HeldFolders } = await import('./held-folders.ts')
  const held = new HeldFolders(root, now, (file) => readText(root, file))
  return {
    async prepare() {
      let count = 0
      for await (const { file, problem, unread } of files()) {
        if (signal?.aborted) break
        await held.look(file)
        if (unread !== undefined) continue
        if (problem) count++
        else if (JSON_LINES.test(file)) count += await countLines(root, file)
        else if (await claimSlug(root, file, slugs)) count++
      }
      return count
    },
    async *read() {
      for await (const { file, problem, unread } of files()) {
        if (unread !== undefined) yield { at: { file, line: 1 }, unread }
        else if (problem) yield { at: { file, line: 1 }, problem }
        else if (JSON_LINES.test(file)) yield* readJsonLines(root, file)
        else yield await readMarkdown(root, file, { author, now, slugs, heldBy: held.why(file) })
      }
    },
  }
}

interface Location {
  /** Without links in its own path. */
  readonly root: string
  files(): Iterable<FoundFile> | AsyncIterable<FoundFile>
  /** The file that is named, if it is a WordPress export. */
  readonly wordpress?: string | undefined
}

/** Follows links: the caller has named them. */
async function look(location: string): Promise<Location> {
  const real = await realpath(location)
  const found = await stat(real)
  if (found.isDirectory()) return { root: real, files: () => findContent(real) }
  const file = path.basename(real)
  const wordpress = WORDPRESS.test(file) ? file : undefined
  if (found.isFile() && (MARKDOWN.test(file) || JSON_LINES.test(file) || wordpress)) {
    return { root: path.dirname(real), files: () => [{ file }], wordpress }
  }
  throw new Error(
    'should be a folder, a Markdown file (.md, .markdown, .mdx), JSON Lines (.jsonl) or a WordPress export (.xml)',
  )
}

/** More than the longest article takes in UTF-8, escapes included. */
const MAX_BYTES = 4 * 1024 * 1024
const TOO_LONG = `is longer than ${MAX_BYTES} bytes`

/** Loads the parsers for an import, and not with each server: 60 ms of CPU, by `time node dist/stet.js --help`. */
const loadParser = () => import('./parse-markdown.ts')

async function readMarkdown(
  root: string,
  file: string,
  {
    slugs,
    ...given
  }: {
    readonly author: string
    readonly now: number
    readonly slugs: SlugChoice
    readonly heldBy: string | undefined
  },
): Promise<Reading> {
  const at = { file, line: 1 }
  try {
    const bytes = await readFile(root, file)
    if (!bytes) return { at, problem: TOO_LONG }
    const { parseMarkdown } = await loadParser()
    const parsed = parseMarkdown({ file, root, text: decode(bytes, 1), ...given })
    if ('unread' in parsed) return { at, unread: parsed.unread }
    const { article, heldBack, notes, unreadFields } = parsed
    const slug = slugs.slugOf(file, article.slug)
    const renamed = slug === article.slug ? [] : [`has the slug "${slug}", made from its path`]
    const record = { ...article, slug }
    return { at, record, heldBack, notes: [...notes, ...renamed], unreadFields, bytes: bytes.length }
  } catch (error) {
    return { at: { file, line: lineOf(error) }, problem: reasonOf(error) }
  }
}

/** Returns false for a file that is no article. One that can't be read claims nothing: `read` says why. */
async function claimSlug(root: string, file: string, slugs: SlugChoice): Promise<boolean> {
  try {
    const bytes = await readFile(root, file)
    const { claimedSlug } = await loadParser()
    const slug = bytes && claimedSlug(file, decode(bytes, 1))
    if (slug !== undefined) slugs.claim(file, slug)
    return !bytes || slug !== undefined
  } catch (error) {
    reasonOf(error)
    return true
  }
}

async function readText(root: string, file: string): Promise<string | undefined> {
  const bytes = await readFile(root, file)
  return bytes && decode(bytes, 1)
}

async function readFile(root: string, file: string): Promise<Buffer | undefined> {
  const handle = await openFile(root, file)
  return readWhole(handle, MAX_BYTES).finally(() => handle.close())
}

function isBlank(line: Buffer): boolean {
  return line.length < 2 && line.toString().trim() === ''
}

function decode(bytes: Buffer, line: number): string {
  const text = bytes.toString()
  if (isUtf8(bytes)) return text
  const [before = ''] = text.split('\uFFFD', 1)
  throw new ContentProblem(line + before.split('\n').length - 1, 'is not UTF-8 text')
}

async function* readJsonLines(root: string, file: string): AsyncGenerator<Reading> {
  let line = 0
  try {
    for await (const bytes of readLines(await openFile(root, file), MAX_BYTES)) {
      line++
      if (bytes === undefined) yield { at: { file, line }, problem: TOO_LONG }
      else if (!isBlank(bytes)) yield readJsonLine({ file, line }, bytes)
    }
  } catch (error) {
    yield { at: { file, line: line + 1 }, problem: reasonOf(error) }
  }
}

function readJsonLine(at: Place, bytes: Buffer): Reading {
  try {
    const { record, ...fields } = parseJsonLine(decode(bytes, at.line), at.line)
    const heldBack = record.type === 'article' && record.status === 'DRAFT' ? ['status is DRAFT'] : []
    return { at, record, heldBack, ...fields, bytes: bytes.length }
  } catch (error) {
    return { at, problem: reasonOf(error) }
  }
}

async function countLines(root: string, file: string): Promise<number> {
  let count = 0
  try {
    for await (const line of readLines(await openFile(root, file), MAX_BYTES)) if (!line || !isBlank(line)) count++
  } catch {
    return 1
  }
  return count
}

function lineOf(error: unknown): number {
  return error instanceof ContentProblem ? error.line : 1
}

function reasonOf(error: unknown): string {
  if (error instanceof ContentProblem) return error.message
  if (error instanceof Error && 'syscall' in error) return `cannot be read: ${error.message}`
  throw error
}
