import { LineCounter, parseDocument } from 'yaml'
import { ContentProblem } from './content-record.ts'
import { RecordFields } from './record-fields.ts'

export interface MarkdownParts {
  readonly fields: RecordFields
  readonly body: string
  /** The line of the file that `body` begins on. */
  readonly bodyLine: number
}

/**
 * Splits a Markdown file into its YAML front matter, fenced by `---`, and its body. Without a fence everything is body.
 * Throws a ContentProblem if the front matter is not valid.
 */
export function splitFrontMatter(text: string): MarkdownParts {
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  if (/^\+\+\+\s*\n/.test(source)) {
    throw new ContentProblem(1, 'TOML front matter (+++) is not read; write it as YAML between --- fences')
  }
  const opening = /^---[ \t]*\n/.exec(source)
  if (!opening) return { fields: new RecordFields({}, () => 1), ...bodyAt(source, 0) }
  const rest = source.slice(opening[0].length)
  const closing = /^(?:---|\.\.\.)[ \t]*(?:\n|$)/m.exec(rest)
  if (!closing) throw new ContentProblem(1, 'front matter opens with --- and never closes')
  const end = opening[0].length + closing.index + closing[0].length
  return { fields: parseYaml(rest.slice(0, closing.index)), ...bodyAt(source, end) }
}

/** The text after `offset`, without the blank lines around it. */
function bodyAt(source: string, offset: number): { body: string; bodyLine: number } {
  const start = offset + (/^(?:[ \t]*\n)*/.exec(source.slice(offset))?.[0].length ?? 0)
  return { body: source.slice(start).trimEnd(), bodyLine: source.slice(0, start).split('\n').length }
}

function parseYaml(yaml: string): RecordFields {
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  const lineAt = (offset: number) => lines.linePos(offset).line + 1
  const [error] = document.errors
  if (error) throw new ContentProblem(lineAt(error.pos[0]), `front matter is not valid YAML: ${error.message}`)
  const values = toValues(() => document.toJS({ maxAliasCount: 100 }))
  if (values === null || values === undefined) return new RecordFields({}, () => 1)
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ContentProblem(2, 'front matter should be fields, as in "title: A title"')
  }
  return new RecordFields(values, (name) => {
    const key = new RegExp(`^["']?${name}["']?[ \\t]*:`, 'im').exec(yaml)
    return key ? lineAt(key.index) : 1
  })
}

function toValues(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    throw new ContentProblem(1, `front matter is not valid YAML: ${error instanceof Error ? error.message : error}`)
  }
}
