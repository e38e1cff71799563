import { ContentProblem } from './content-record.ts'
import type { MarkdownParts } from './front-matter.ts'

/**
 * Leaves the imports and exports of MDX out of a body, and says so. The tags of components stay in it: they are dropped when it
 * is rendered, and what stands between them stays. Any other file's body stays as it is.
 *
 * Throws a ContentProblem for fields that are exported as JavaScript, as Next has them, if there is no front matter: nobody
 * knows whether `draft` is among them.
 */
export function leaveOutModules(
  file: string,
  parts: MarkdownParts,
): { readonly parts: MarkdownParts; readonly notes: readonly string[] } {
  if (!/\.mdx$/i.test(file)) return { parts, notes: [] }
  const { body, bodyLine } = parts
  const kept: string[] = []
  let left = 0
  let isModule = false
  let fence: string | undefined
  for (const [index, line] of body.split('\n').entries()) {
    const mark = /^ {0,3}(```|~~~)/.exec(line)?.[1]
    if (mark && !isModule && (!fence || fence === mark)) fence = fence ? undefined : mark
    const begins: boolean = !fence && !isModule && (index === 0 || kept.at(-1) === '') && MODULE.test(line)
    if (begins && parts.fields.isEmpty && FIELDS.test(line)) {
      throw new ContentProblem(
        bodyLine + index,
        'has its fields in JavaScript, which is not read; write them as front matter',
      )
    }
    if (begins) left++
    isModule = begins || (isModule && line.trim() !== '')
    kept.push(isModule ? '' : line)
  }
  if (left === 0) return { parts, notes: [] }
  const blank = kept.findIndex((line) => line.trim() !== '')
  const start = blank === -1 ? kept.length : blank
  return {
    parts: { ...parts, body: kept.slice(start).join('\n').trimEnd(), bodyLine: bodyLine + start },
    notes: [`is MDX: its imports and exports are left out (${left} ${left === 1 ? 'block' : 'blocks'})`],
  }
}

/** An import or export begins a block of lines, which ends at a blank one. */
const MODULE =
  /^(?:import\s+(?:["'{*]|[\w$]+\s*(?:,|\sfrom\s*["']))|export\s+(?:const|let|var|default|async|function|class|\{|\*))/
const FIELDS = /^export\s+const\s+(?:metadata|meta|frontmatter)\b/i
