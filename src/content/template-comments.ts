import { type MarkdownParts, withBody } from './front-matter.ts'
import { codeEnd } from './jsx.ts'

/**
 * Leaves the comments of template languages out of a body, and says so: those of Liquid (Jekyll, Eleventy), of Nunjucks and Tera (Eleventy, Zola), and
 * Hugo's. Readers of such a site never see them. Other tags of these languages stay as they are written. Reads nothing in code.
 */
export function leaveOutTemplateComments(parts: MarkdownParts): {
  readonly parts: MarkdownParts
  readonly notes: readonly string[]
} {
  const { body } = parts
  let kept = ''
  let from = 0
  let comments = 0
  // One that is never closed is no comment, nor is any of its kind after it.
  const kinds = new Set(COMMENTS)
  for (let at = 0; at < body.length; ) {
    const code = codeEnd(body, at)
    const end = code ?? (body[at] === '{' ? commentEnd(body, at, kinds) : undefined)
    if (code === undefined && end !== undefined) {
      comments++
      kept += body.slice(from, at)
      from = end
    }
    at = end ?? at + 1
  }
  if (comments === 0) return { parts, notes: [] }
  const note = `comes in without ${comments} ${comments === 1 ? 'comment' : 'comments'} of a template language`
  return { parts: withBody(parts, kept + body.slice(from)), notes: [note] }
}

interface CommentKind {
  readonly opening: RegExp
  readonly closing: RegExp
}

const COMMENTS: readonly CommentKind[] = [
  { opening: /\{%-?\s*comment\s*-?%\}/y, closing: /\{%-?\s*endcomment\s*-?%\}/g },
  { opening: /\{\{[%<]\s*comment\s*[%>]\}\}/y, closing: /\{\{[%<]\s*\/comment\s*[%>]\}\}/g },
  { opening: /\{#-?(?=\s)/y, closing: /#\}/g },
]

function commentEnd(body: string, at: number, kinds: Set<CommentKind>): number | undefined {
  for (const kind of kinds) {
    kind.opening.lastIndex = at
    if (!kind.opening.test(body)) continue
    kind.closing.lastIndex = kind.opening.lastIndex
    if (kind.closing.test(body)) return kind.closing.lastIndex
    kinds.delete(kind)
  }
  return undefined
}
