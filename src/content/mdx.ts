import { ContentProblem } from './content-record.ts'
import { type MarkdownParts, withBody } from './front-matter.ts'
import { leaveOutJsx, UnclosedBrace, type WithoutJsx } from './jsx.ts'

/**
 * Leaves the imports, exports, components and comments of MDX out of a body, and says so. What stands between the tags of a component
 * stays, and so do expressions. Any other file's body stays as it is.
 *
 * Throws a ContentProblem for a brace that is never closed, and for fields that are exported as JavaScript, as Next has them, if there is no front matter, or if `draft` or
 * the like is among them.
 */
export function leaveOutCode(
  file: string,
  parts: MarkdownParts,
): { readonly parts: MarkdownParts; readonly notes: readonly string[] } {
  if (!/\.mdx$/i.test(file)) return { parts, notes: [] }
  const { kept, modules } = leaveOutModules(parts)
  const { text, components, comments, attributes, expressions } = withoutJsx(kept.join('\n'), parts.bodyLine)
  const left = [
    ...counted(modules, 'block of imports and exports', 'blocks of imports and exports'),
    ...counted(components, 'component', 'components'),
    ...counted(comments, 'comment', 'comments'),
    ...counted(attributes, 'attribute', 'attributes'),
  ]
  const notes = [
    ...(left.length > 0 ? [`is MDX, and comes in without ${left.join(', ')}`] : []),
    ...(expressions > 0 ? [`is MDX, and its expressions stay as they are written: ${expressions} in braces`] : []),
  ]
  return { parts: withBody(parts, text), notes }
}

function withoutJsx(text: string, firstLine: number): WithoutJsx {
  try {
    return leaveOutJsx(text)
  } catch (error) {
    if (!(error instanceof UnclosedBrace)) throw error
    const line = firstLine + text.slice(0, error.index).split('\n').length - 1
    throw new ContentProblem(line, `body ${error.message}: write \\{ for a brace that is none of MDX's`)
  }
}

const counted = (count: number, one: string, several: string): string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? one : several}`]

/** The lines of a body, blank where a module's code was, and how many blocks of it there were. */
function leaveOutModules({ fields, body, bodyLine }: MarkdownParts): {
  readonly kept: readonly string[]
  readonly modules: number
} {
  const kept: string[] = []
  const blocks: { readonly line: number; text: string }[] = []
  let isModule = false
  let depth = 0
  let fence: string | undefined
  for (const [index, line] of body.split('\n').entries()) {
    const mark = /^ {0,3}(```|~~~)/.exec(line)?.[1]
    if (mark && !isModule && (!fence || fence === mark)) fence = fence ? undefined : mark
    const begins: boolean = !fence && !isModule && (index === 0 || kept.at(-1) === '') && MODULE.test(line)
    if (begins) blocks.push({ line: bodyLine + index, text: '' })
    isModule = begins || (isModule && (line.trim() !== '' || depth > 0))
    depth = isModule ? depth + depthOf(line) : 0
    const block = blocks.at(-1)
    if (isModule && block) block.text += `${line}\n`
    kept.push(isModule ? '' : line)
  }
  for (const { line, text } of blocks) {
    const isField = FLAG.test(text) || (FIELDS.test(text) && (fields.isEmpty || HOLDING.test(text)))
    if (isField) {
      throw new ContentProblem(line, 'has its fields in JavaScript, which is not read; write them as front matter')
    }
  }
  return { kept, modules: blocks.length }
}

/** An import or export begins a block of lines, which ends at a blank one outside of brackets. */
const MODULE =
  /^(?:import\s+(?:["'{*]|[\w$]+\s*(?:,|\sfrom\s*["']))|export\s+(?:const|let|var|default|async|function|class|\{|\*))/
const FIELDS = /^export\s+(?:const|let|var)\s+(?:metadata|meta|front_?matter|attributes|post|page|config)\b/i
const FLAGS =
  '(?:is_?)?(?:draft|published|private|hidden|unlisted|publish(?:ed)?(?:_?(?:at|on|date))?|pub_?date|expiry_?date|status|visibility)'
/** A field that may hold the article back, exported by itself, or within an object. */
const FLAG = new RegExp(`^export\\s+(?:const|let|var)\\s+${FLAGS}\\s*[:=]`, 'i')
const HOLDING = new RegExp(`\\b${FLAGS}["']?\\s*:`, 'i')

/** How many more brackets a line opens than it closes, outside of texts and comments. */
function depthOf(line: string): number {
  const code = line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*/g, '')
  return (code.match(/[{([]/g)?.length ?? 0) - (code.match(/[})\]]/g)?.length ?? 0)
}
