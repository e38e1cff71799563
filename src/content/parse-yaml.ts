import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { ContentProblem } from './content-record.ts'
import { RecordFields } from './record-fields.ts'

/**
 * Parses the YAML of a file's front matter, which begins on its second line. Throws a ContentProblem if it is not valid, or more
 * than is read: by far more than people write, and so little that parsing takes less than a second.
 */
export function parseYaml(yaml: string): RecordFields {
  if (yaml.length > MAX_LENGTH) {
    throw new ContentProblem(1, `front matter has ${yaml.length} characters; at most ${MAX_LENGTH} are read`)
  }
  const lines = new LineCounter()
  const lineAt = (offset: number) => lines.linePos(offset).line + 1
  const values = orProblem(() => {
    // Its own check for repeated keys compares each key with each.
    const document = parseDocument(yaml, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
      uniqueKeys: false,
    })
    const [error] = document.errors
    if (error) throw notYaml(lineAt(error.pos[0]), error.message)
    const repeated = findRepeatedKey(document)
    if (repeated !== undefined) throw notYaml(lineAt(repeated), 'Map keys must be unique')
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  })
  if (values === null || values === undefined) return new RecordFields({}, () => 1)
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ContentProblem(2, 'front matter should be fields, as in "title: A title"')
  }
  return new RecordFields(values, (name) => {
    const key = new RegExp(`^["']?${name}["']?[ \\t]*:`, 'im').exec(yaml)
    return key ? lineAt(key.index) : 1
  })
}

const MAX_LENGTH = 65_536
const MAX_ALIASES = 100

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
