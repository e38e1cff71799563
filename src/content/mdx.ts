import { ContentProblem } from './content-record.ts'
import { type MarkdownParts, withBody } from './front-matter.ts'
import { leaveOutJsx, UnclosedBrace, type WithoutJsx } from './jsx.ts'

/**
 * Leaves the imports, exports, components and comments of MDX out of a body, and says so. What stands between the tags of a component
 * stays, and so do expressions. Any other file's body stays as it is.
 *
 * Throws a ContentProblem for a brace that is never closed, and for fields that are exported as JavaScript, as Next has them, if there is no front matter: nobody
 * knows whether `draft` is among them.
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
    throw new ContentProblem(line, `body ${error.message}: write \\\\{ for a brace that is none of MDX's`)
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
  let modules = 0
  let isModule = false
  let depth = 0
  let fence: string | undefined
  for (const [index, line] of body.split('\n').entries()) {
    const mark = /^ {0,3}(```|~~~)/.exec(line)?.[1]
    if (mark && !isModule && (!fence || fence === mark)) fence = fence ? undefined : mark
    const begins: boolean = !fence && !isModule && (index === 0 || kept.at(-1) === '') && MODULE.test(line)
    if (begins && fields.isEmpty && FIELDS.test(line)) {
      throw new ContentProblem(
        bodyLine + index,
        'has its fields in JavaScript, which is not read; write them as front matter',
      )
    }
    if (begins) modules++
    isModule = begins || (isModule && (line.trim() !== '' || depth > 0))
    depth = isModule ? depth + depthOf(line) : 0
    kept.push(isModule ? '' : line)
  }
  return { kept, modules }
}

/** An import or export begins a block of lines, which ends at a blank one outside of brackets. */
const MODULE =
  /^(?:import\s+(?:["'{*]|[\w$]+\s*(?:,|\sfrom\s*["']))|export\s+(?:const|let|var|default|async|function|class|\{|\*))/
const FIELDS = /^export\s+const\s+(?:metadata|meta|frontmatter)\b/i

/** How many more brackets a line opens than it closes, outside of texts and comments. */
function depthOf(line: string): number {
  const code = line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*/g, '')
  return (code.match(/[{([]/g)?.length ?? 0) - (code.match(/[})\]]/g)?.length ?? 0)
}
