import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { ContentProblem, type ContentRecord, type Place } from './content-record.ts'
import { type FoundFile, findFiles } from './find-files.ts'
import { parseJsonLine } from './parse-json-line.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { readLines } from './read-lines.ts'

/** One record as it was read, or why it could not be. */
export type Reading = { readonly at: Place } & (
  | { readonly record: ContentRecord; readonly bytes: number }
  | { readonly problem: string }
)

/** A folder, a Markdown file or a JSON Lines file, read one record at a time. */
export interface ContentSource {
  /** How many readings there will be. */
  count(): Promise<number>
  read(): AsyncGenerator<Reading>
}

/** Throws when there is nothing to read at `location`. `author` is whose the Markdown files are that name no author. */
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
/** Hugo's `_index.md` describes a section and is no article. */
const ARTICLE = /^(?!_index\.).*\.(md|markdown)$/i
const JSON_LINES = /\.jsonl$/i

/** Records of users and tags come first, so that articles find them. */
async function* findContent(folder: string): AsyncGenerator<FoundFile> {
  yield* findFiles(folder, JSON_LINES)
  for await (const found of findFiles(folder, ARTICLE)) if (!found.problem) yield found
}

/** Above the longest article in UTF-8, escapes included. */
const MAX_BYTES = 4 * 1024 * 1024
const TOO_LONG = `is longer than ${MAX_BYTES} bytes`

async function readMarkdown(root: string, file: string, author: string): Promise<Reading> {
  try {
    const whole = path.join(root, file)
    if ((await stat(whole)).size > MAX_BYTES) return { at: { file, line: 1 }, problem: TOO_LONG }
    const bytes = await readFile(whole)
    const text = utf8.decode(bytes)
    return { at: { file, line: 1 }, record: parseMarkdown({ file, text, author }), bytes: bytes.length }
  } catch (error) {
    return { at: { file, line: lineOf(error) }, problem: reasonOf(error) }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

async function* readJsonLines(root: string, file: string): AsyncGenerator<Reading> {
  let line = 0
  try {
    for await (const text of readLines(path.join(root, file), MAX_BYTES)) {
      line++
      if (text === undefined) yield { at: { file, line }, problem: TOO_LONG }
      else if (text.trim() !== '') yield readJsonLine({ file, line }, text)
    }
  } catch (error) {
    yield { at: { file, line: line + 1 }, problem: reasonOf(error) }
  }
}

function readJsonLine(at: Place, text: string): Reading {
  try {
    return { at, record: parseJsonLine(text, at.line), bytes: text.length }
  } catch (error) {
    return { at, problem: reasonOf(error) }
  }
}

async function countLines(root: string, file: string): Promise<number> {
  let count = 0
  try {
    for await (const line of readLines(path.join(root, file), MAX_BYTES)) if (line !== '') count++
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
  if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return 'is not UTF-8 text'
  }
  if (error instanceof Error && 'syscall' in error) return `cannot be read: ${error.message}`
  throw error
}
