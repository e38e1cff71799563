import sanitizeHtml from 'sanitize-html'
import { markdown } from '../markdown.ts'
import { type Rendering, refuse } from './rendering.ts'

/**
 * Renders Markdown (CommonMark and tables) as HTML that is safe to put into a page: without scripts, frames and event
 * handlers, and with no style but the alignment of table cells. A text whose rendering would take more than its length
 * explains is refused: see MAX_DEPTH and MAX_HTML.
 *
 * HAZARD: takes up to 2 seconds for a text of 500,000 characters. Only the threads of `MarkdownRenderer` call it.
 */
export function renderMarkdown(text: string): Rendering {
  try {
    return { html: bounded(sanitize(bounded(toHtml(text)))) }
  } catch (error) {
    if (error instanceof Refusal) return refuse(text, error.message)
    throw error
  }
}

/** sanitize-html takes time in proportion to each element's depth. Browsers too keep no more than 512 levels. */
const MAX_DEPTH = 500
const TOO_DEEP = `it nests HTML elements more than ${MAX_DEPTH} deep: close them`

/** In UTF-16 code units: four times the longest body. A text repeats a long link for 3 characters each time. */
const MAX_HTML = 2_000_000
const TOO_LONG = `it would become more than ${MAX_HTML} characters of HTML: shorten it`

class Refusal extends Error {}

function bounded(html: string): string {
  if (html.length > MAX_HTML) throw new Refusal(TOO_LONG)
  return html
}

function toHtml(text: string): string {
  const env = {}
  const tokens = markdown.parse(text, env)
  // Before the HTML is made: attributes are all of it that can be far longer than the text.
  if (lengthOfAttributes(tokens) > MAX_HTML) throw new Refusal(TOO_LONG)
  return markdown.renderer.render(tokens, markdown.options, env)
}

function lengthOfAttributes(tokens: ReturnType<typeof markdown.parse>): number {
  let length = 0
  for (const { attrs, children } of tokens) {
    for (const [, value] of attrs ?? []) length += String(value).length
    if (children) length += lengthOfAttributes(children)
  }
  return length
}

function sanitize(html: string): string {
  let depth = 0
  return sanitizeHtml(html, {
    allowedTags: [...sanitizeHtml.defaults.allowedTags, 'img', 'del', 'ins', 'details', 'summary'],
    allowedAttributes: {
      a: ['href', 'title', 'rel'],
      img: ['src', 'alt', 'title', 'width', 'height'],
      th: ['align', 'style'],
      td: ['align', 'style'],
      ol: ['start'],
    },
    allowedClasses: { code: ['language-*'] },
    allowedStyles: { '*': { 'text-align': [/^(left|right|center)$/] } },
    allowedSchemes: ['http', 'https', 'mailto'],
    transformTags: { a: sanitizeHtml.simpleTransform('a', { rel: 'nofollow noopener' }) },
    onOpenTag: () => {
      depth++
      if (depth > MAX_DEPTH) throw new Refusal(TOO_DEEP)
    },
    onCloseTag: () => {
      depth--
    },
  })
}
