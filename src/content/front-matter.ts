import { ContentProblem } from './content-record.ts'
import { findRepeatedName } from './find-repeated-name.ts'
import { parseToml } from './parse-toml.ts'
import { parseYaml } from './parse-yaml.ts'
import { lineFinder, RecordFields } from './record-fields.ts'
import { refuseLookalike, refuseSecond } from './refuse-lookalike.ts'

export interface MarkdownParts {
  readonly fields: RecordFields
  readonly body: string
  /** The line of the file that `body` begins on. */
  readonly bodyLine: number
}

/**
 * Splits a Markdown file into its front matter and its body: YAML between `---`, TOML between `+++`, JSON in braces, or any of
 * them between `---` with its name (`---toml`), as Eleventy has it. A byte order mark and blank lines may stand before it.
 *
 * Throws a ContentProblem for front matter that can't be read, and for what looks like front matter: a text that begins with
 * it would otherwise be published with its `draft: true`.
 */
export function splitFrontMatter(text: string): MarkdownParts {
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const start = /^\s*/.exec(source)?.[0].length ?? 0
  const firstLine = source.slice(0, start).split('\n').length
  const opened = source.slice(start)
  const end = findEnd(opened, firstLine)
  if (!end) {
    refuseLookalike(opened, firstLine)
    return { fields: new RecordFields({}, () => 1), ...bodyAt(source, 0) }
  }
  const { matter, after, language } = end
  if (matter.length > MAX_LENGTH) {
    throw new ContentProblem(1, `front matter has ${matter.length} characters; at most ${MAX_LENGTH} are read`)
  }
  const parts = { fields: parsers[language](matter, firstLine), ...bodyAt(source, start + after) }
  refuseSecond(parts.body, parts.bodyLine)
  return parts
}

/** The parts of a file whose body has become another, without the blank lines around it. */
export function withBody(parts: MarkdownParts, body: string): MarkdownParts {
  const { body: trimmed, bodyLine } = bodyAt(body, 0)
  return { ...parts, body: trimmed, bodyLine: parts.bodyLine + bodyLine - 1 }
}

const MAX_LENGTH = 65_536

type Language = 'yaml' | 'toml' | 'json'

/** The lines of the file's own numbering: a parser is told on which of them its text begins. */
const parsers: Readonly<Record<Language, (matter: string, firstLine: number) => RecordFields>> = {
  yaml: (matter, firstLine) => parseYaml(matter, firstLine + 1),
  toml: (matter, firstLine) => parseToml(matter, firstLine + 1),
  json: parseJson,
}

interface End {
  readonly language: Language
  readonly matter: string
  /** Where the text after the front matter begins. */
  readonly after: number
}

function findEnd(opened: string, firstLine: number): End | undefined {
  const fence = /^(---|\+\+\+)[ \t]*([a-z]*)[ \t]*(?:\n|$)/i.exec(opened)
  if (fence) return findFence(opened, fence, firstLine)
  if (MDX_COMMENT.test(opened) || !/^\{\s*(?:["'}]|[\w-]+\s*:|\/[/*])/.test(opened)) return undefined
  const length = lengthOfJson(opened)
  if (length === undefined) throw new ContentProblem(firstLine, 'front matter opens with { and never closes')
  return { language: 'json', matter: opened.slice(0, length), after: length }
}

function findFence(opened: string, [whole, mark, name]: RegExpExecArray, firstLine: number): End {
  const language = mark === '+++' ? (name ? undefined : 'toml') : languages.get(name?.toLowerCase() ?? '')
  if (!language) {
    throw new ContentProblem(firstLine, `front matter in ${name} is not read; write it as YAML, TOML or JSON`)
  }
  const rest = opened.slice(whole.length)
  const closing = (mark === '+++' ? /^\+\+\+[ \t]*(?:\n|$)/m : /^(?:---|\.\.\.)[ \t]*(?:\n|$)/m).exec(rest)
  if (!closing) throw new ContentProblem(firstLine, `front matter opens with ${mark} and never closes`)
  const matter = rest.slice(0, closing.index)
  return { language, matter, after: whole.length + closing.index + closing[0].length }
}

const languages = new Map<string, Language>([
  ['', 'yaml'],
  ['yaml', 'yaml'],
  ['yml', 'yaml'],
  ['toml', 'toml'],
  ['json', 'json'],
])

/** Where the object that a text begins with ends. Undefined if it doesn't. */
function lengthOfJson(text: string): number | undefined {
  let depth = 0
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\\n]|\\.)*"|[{}]/g)) {
    if (token === '{') depth++
    else if (token === '}') depth--
    if (depth === 0) return index + 1
  }
  return undefined
}

/** Numbers stay as they are written, like every scalar of front matter. */
function parseJson(matter: string, firstLine: number): RecordFields {
  try {
    JSON.parse(matter)
  } catch (error) {
    throw new ContentProblem(firstLine, `front matter is not valid JSON: ${(error as Error).message}`)
  }
  const lineOf = lineFinder(matter, firstLine)
  const repeated = findRepeatedName(matter)
  if (repeated !== undefined) {
    throw new ContentProblem(lineOf(repeated), `front matter names ${JSON.stringify(repeated)} twice`)
  }
  const asWritten = matter.replace(/"(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  )
  return new RecordFields(JSON.parse(asWritten), lineOf)
}

const MDX_COMMENT = /^\{\s*\/\*[\s\S]*?\*\/\s*\}/

/** The text after `offset`, without the blank lines around it. */
function bodyAt(source: string, offset: number): { body: string; bodyLine: number } {
  const start = offset + (/^(?:[ \t]*\n)*/.exec(source.slice(offset))?.[0].length ?? 0)
  return { body: source.slice(start).trimEnd(), bodyLine: source.slice(0, start).split('\n').length }
}
