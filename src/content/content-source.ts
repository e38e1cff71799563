import { isUtf8 } from 'node:buffer'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { ContentProblem, type ContentRecord, type Place } from './content-record.ts'
import { parseJsonLine } from './parse-json-line.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { readLines } from './read-lines.ts'

/** One record as it was read, or why it could not be read. */
type Reading = { readonly at: Place } & (
  | { readonly record: ContentRecord; readonly bytes: number }
  | { readonly problem: string }
)

/** A folder, a Markdown file or a JSON Lines file, read one record at a time. */
export interface ContentSource {
  /** How many readings `read` will yield. */
  count(): Promise<number>
  read(): AsyncGenerator<Reading>
}

/**
 * Opens what `location` names: a folder, a Markdown file or a JSON Lines file. Throws if there is no such thing.
 *
 * @param author the author of Markdown files that name none
 */
export async function openContentSource(location: string, author: string): Promise<ContentSource> {
  const found = await stat(location).catch((error: Error) => {
    throw new Error(`Cannot import "${location}": ${error.message}`, { cause: error })
  })
  const root = found.isDirectory() ? location : path.dirname(location)
  const files: () => Iterable<FoundFile> | AsyncIterable<FoundFile> = found.isDirectory()
    ? () => findContent(location)
    : () => [{ file: path.basename(location) }]
  if (!found.isDirectory() && !MARKDOWN.test(location) && !JSON_LINES.test(location)) {
    throw new Error(`Cannot import "${location}": should be a folder, a Markdown file (.md) or JSON Lines (.jsonl)`)
  }
  return {
    async count() {
      let count = 0
      for await (const { file } of files()) count += JSON_LINES.test(file) ? await countLines(root, file) : 1
      return count
    },
    async *read() {
      for await (const { file, problem } of files()) {
        if (problem) yield { at: { file, line: 1 }, problem }
        else if (JSON_LINES.test(file)) yield* readJsonLines(root, file)
        else yield await readMarkdown(root, file, author)
      }
    },
  }
}

const MARKDOWN = /\.(md|markdown)$/i
/** Not Hugo's `_index.md`, which describes a section and is not an article. */
const ARTICLE = /^(?!_index\.).*\.(md|markdown)$/i
const JSON_LINES = /\.jsonl$/i

/** Finds JSON Lines first, so that their users and tags exist before articles name them; then Markdown files. */
async function* findContent(folder: string): AsyncGenerator<FoundFile> {
  yield* findFiles(folder, JSON_LINES)
  for await (const found of findFiles(folder, ARTICLE)) if (!found.problem) yield found
}

/**
 * Finds the files below `folder` whose names match, always in the same order. Their paths are relative to the folder, with
 * forward slashes. Skips node_modules, names that start with a dot, and linked folders, which could form a circle.
 */
async function* findFiles(folder: string, name: RegExp, below = ''): AsyncGenerator<FoundFile> {
  const here = path.join(folder, below)
  const found = await readdir(here, { withFileTypes: true }).catch((error: Error) => error.message)
  if (typeof found === 'string') {
    yield { file: below, problem: `cannot be read: ${found}` }
    return
  }
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.posix.join(below, entry.name)
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    if (entry.isDirectory()) yield* findFiles(folder, name, file)
    else if (name.test(entry.name) && (entry.isFile() || (await isLinkedFile(path.join(here, entry.name)))))
      yield { file }
  }
}

interface FoundFile {
  readonly file: string
  readonly problem?: string
}

async function isLinkedFile(file: string): Promise<boolean> {
  return stat(file).then(
    (target) => target.isFile(),
    () => false,
  )
}

/** More than the longest article takes in UTF-8, escapes included. */
const MAX_BYTES = 4 * 1024 * 1024
const TOO_LONG = `is longer than ${MAX_BYTES} bytes`

async function readMarkdown(root: string, file: string, author: string): Promise<Reading> {
  try {
    const whole = path.join(root, file)
    if ((await stat(whole)).size > MAX_BYTES) return { at: { file, line: 1 }, problem: TOO_LONG }
    const bytes = await readFile(whole)
    const text = decode(bytes, 1)
    return { at: { file, line: 1 }, record: parseMarkdown({ file, text, author }), bytes: bytes.length }
  } catch (error) {
    return { at: { file, line: lineOf(error) }, problem: reasonOf(error) }
  }
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
    for await (const bytes of readLines(path.join(root, file), MAX_BYTES)) {
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
    return { at, record: parseJsonLine(decode(bytes, at.line), at.line), bytes: bytes.length }
  } catch (error) {
    return { at, problem: reasonOf(error) }
  }
}

async function countLines(root: string, file: string): Promise<number> {
  let count = 0
  try {
    for await (const line of readLines(path.join(root, file), MAX_BYTES)) if (!line || !isBlank(line)) count++
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
