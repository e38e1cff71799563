import { type MarkdownParts, withBody } from './front-matter.ts'
import { codeEnd } from './jsx.ts'

/**
 * Leaves the comments of template languages out of a body, and says so: those of Liquid (Jekyll, Eleventy), of Nunjucks and Tera (Eleventy, Zola), and
 * Hugo's, Handlebars', and Obsidian's `%%`. Readers of such a site never see them. Other tags of these languages stay as they are written, and a note says how many. Reads nothing in code.
 *
 * @param file its name: two braces in MDX are an object of JavaScript, and no tag
 */
export function leaveOutTemplateComments(
  file: string,
  parts: MarkdownParts,
): {
  readonly parts: MarkdownParts
  readonly notes: readonly string[]
} {
  const { body } = parts
  let kept = ''
  let from = 0
  let comments = 0
  let tags = 0
  // One that is never closed is none, nor is any of its kind after it.
  const kinds = new Set(/\.mdx$/i.test(file) ? COMMENTS : [RAW, ...COMMENTS, ...TAGS])
  for (let at = 0; at < body.length; ) {
    const code = codeEnd(body, at)
    const found = code === undefined && (body[at] === '{' || body[at] === '%') ? findTag(body, at, kinds) : undefined
    if (found?.isComment) {
      comments++
      kept += body.slice(from, at)
      from = found.end
    } else if (found) {
      tags++
    }
    at = code ?? found?.end ?? at + 1
  }
  const notes = [
    ...(comments > 0 ? [`comes in without ${counted(comments, 'comment')} of a template language`] : []),
    ...(tags > 0 ? [`holds ${counted(tags, 'tag')} of a template language: they stay as they are written`] : []),
  ]
  return { parts: comments > 0 ? withBody(parts, kept + body.slice(from)) : parts, notes }
}

const counted = (count: number, word: string): string => `${count} ${count === 1 ? word : `${word}s`}`

interface TagKind {
  readonly opening: RegExp
  readonly closing: RegExp
}

const COMMENTS: readonly TagKind[] = [
  { opening: /\{%-?\s*comment\s*-?%\}/y, closing: /\{%-?\s*endcomment\s*-?%\}/g },
  { opening: /\{\{[%<]\s*comment\s*[%>]\}\}/y, closing: /\{\{[%<]\s*\/comment\s*[%>]\}\}/g },
  { opening: /\{#-?(?=\s)/y, closing: /#\}/g },
  { opening: /\{%-?\s*#/y, closing: /%\}/g },
  { opening: /\{\{!--/y, closing: /--\}\}/g },
  { opening: /\{\{-?\s*\/\*/y, closing: /\*\/\s*-?\}\}/g },
  // Obsidian: in a line, or from the beginning of a line to the end of one.
  { opening: /(?<!\S)%%(?!%)[^\n]*?[^\n%]%%(?!%)/y, closing: /(?:)/g },
  { opening: /(?<=^|\n)%%(?!%)/y, closing: /%%[ \t]*(?=\n|$)/g },
]

/** Nothing in it is a tag, or a comment. */
const RAW: TagKind = { opening: /\{%-?\s*(?:raw|verbatim)\s*-?%\}/y, closing: /\{%-?\s*end(?:raw|verbatim)\s*-?%\}/g }

const TAGS: readonly TagKind[] = [
  { opening: /\{%/y, closing: /%\}/g },
  { opening: /\{\{/y, closing: /\}\}/g },
]

function findTag(
  body: string,
  at: number,
  kinds: Set<TagKind>,
): { readonly end: number; readonly isComment: boolean } | undefined {
  for (const kind of kinds) {
    kind.opening.lastIndex = at
    if (!kind.opening.test(body)) continue
    kind.closing.lastIndex = kind.opening.lastIndex
    if (kind.closing.test(body)) return { end: kind.closing.lastIndex, isComment: COMMENTS.includes(kind) }
    kinds.delete(kind)
  }
  return undefined
}
