import { type Document, isScalar, LineCounter, parseDocument, type Scalar, visit } from 'yaml'
import { ContentProblem } from './content-record.ts'
import { lineFinder, RecordFields } from './record-fields.ts'

/**
 * Parses the YAML of a file's front matter, which begins on line `firstLine`. Every scalar but null is text, as it is written:
 * `1.10`, `0x1F`, `true`. Throws a ContentProblem if it is not valid.
 */
export function parseYaml(yaml: string, firstLine: number): RecordFields {
  const lines = new LineCounter()
  const lineAt = (offset: number) => lines.linePos(offset).line + firstLine - 1
  const values = orProblem(() => {
    // Its own check for repeated keys compares each key with each.
    const document = parseDocument(yaml, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      uniqueKeys: false,
      schema: 'failsafe',
      customTags: ['null'],
      merge: true,
    })
    const [error] = document.errors
    if (error) throw notYaml(lineAt(error.pos[0]), error.message.split(';', 1).join(''))
    const unknown = document.warnings.find(
      ({ code, message }) => code === 'TAG_RESOLVE_FAILED' && !STANDARD.test(message),
    )
    if (unknown) throw notYaml(lineAt(unknown.pos[0]), `${unknown.message}; quote a text that begins with !`)
    const repeated = findRepeatedKey(document)
    if (repeated !== undefined) throw notYaml(lineAt(repeated), 'Map keys must be unique')
    visit(document, { Scalar: (_key, scalar) => keepSource(scalar) })
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  })
  if (values === null || values === undefined) return new RecordFields({}, () => 1)
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ContentProblem(firstLine, 'front matter should be fields: "title: A title" is one')
  }
  return new RecordFields(values, lineFinder(yaml, firstLine))
}

const MAX_ALIASES = 100

/** A tag that YAML itself has, such as `!!float`. The value stays as it is written. */
const STANDARD = /tag:yaml\.org,2002:/

/** A tag such as `!!float` makes a value of another type. */
function keepSource(scalar: Scalar): void {
  if (typeof scalar.value !== 'string' && scalar.value !== null) scalar.value = scalar.source ?? String(scalar.value)
}

/** Where in the text a key begins that its map has already. */
function findRepeatedKey(document: Document.Parsed): number | undefined {
  let repeated: number | undefined
  visit(document, {
    Map: (_key, { items }) => {
      const keys = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (keys.has(key.value)) {
          repeated = key.range?.[0] ?? 0
          return visit.BREAK
        }
        keys.add(key.value)
      }
      return undefined
    },
  })
  return repeated
}

/** The library throws for too many aliases, and if lists are nested deeper than the stack allows. */
function orProblem(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    if (error instanceof ContentProblem) throw error
    throw notYaml(1, error instanceof Error ? error.message : String(error))
  }
}

function notYaml(line: number, message: string): ContentProblem {
  const why = message.includes('call stack') ? 'it is nested too deep' : message
  return new ContentProblem(line, `front matter is not valid YAML: ${why}`)
}
