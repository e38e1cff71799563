import { getStaticTOMLValue, ParseError, parseTOML, traverseNodes } from 'toml-eslint-parser'
import { ContentProblem } from './content-record.ts'
import { lineFinder, RecordFields } from './record-fields.ts'

/**
 * Parses the TOML of a file's front matter, which begins on line `firstLine`. Numbers and dates stay as they are written.
 * Throws a ContentProblem if it is not valid.
 */
export function parseToml(toml: string, firstLine: number): RecordFields {
  try {
    const document = parseTOML(toml)
    traverseNodes(document, {
      enterNode(node) {
        if (node.type !== 'TOMLValue' || node.kind === 'string' || node.kind === 'boolean') return
        Object.assign(node, { value: toml.slice(...node.range) })
      },
      leaveNode() {},
    })
    return new RecordFields(getStaticTOMLValue(document), lineFinder(toml, firstLine))
  } catch (error) {
    const line = error instanceof ParseError ? firstLine + error.lineNumber - 1 : 1
    const why = error instanceof RangeError ? 'it is nested too deep' : error instanceof Error ? error.message : error
    throw new ContentProblem(line, `front matter is not valid TOML: ${why}`)
  }
}
