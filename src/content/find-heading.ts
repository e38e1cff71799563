import MarkdownIt from 'markdown-it'
import sanitizeHtml from 'sanitize-html'
import { markdown } from '../domain/markdown.ts'
import { isVisible } from '../kernel/visible.ts'

export interface Heading {
  /** As a reader sees it, in one line. */
  readonly text: string
  /** The line of the body that it begins on, from 0. */
  readonly line: number
}

/**
 * Finds the first heading of the first level that a reader of the body sees, by the parser that renders it: `# Title`, `Title` above `===`, or `<h1>`. Not in
 * code, nor in a quotation or a list. Images are left out, so that a heading of badges alone is none.
 *
 * A heading of more than 10,000 characters is given as it is written: it is no title.
 */
export function findHeading(body: string): Heading | undefined {
  const references = {}
  const tokens = blocks.parse(body, references)
  for (const [index, { type, tag, level, content, map }] of tokens.entries()) {
    const line = map?.[0] ?? 0
    if (type === 'heading_open' && tag === 'h1' && level === 0) {
      const written = tokens[index + 1]?.content ?? ''
      if (written.length > MAX_LENGTH) return { text: written, line }
      const text = textOfHeading(`<h1>${markdown.renderInline(written, references)}</h1>`)
      if (text) return { text, line }
    } else if (type === 'html_block' && level === 0 && /<h1/i.test(content)) {
      const text = textOfHeading(content.slice(0, MAX_LENGTH))
      if (text) return { text, line }
    }
  }
  return undefined
}

/** Parsing a heading's links and marks takes time in proportion to the square of its length. */
const MAX_LENGTH = 10_000

/** Looks for blocks alone: what stands in most of them is of no interest. */
const blocks = new MarkdownIt({ html: true })
blocks.core.ruler.enableOnly(['normalize', 'block'])

/** The text of the first heading of the first level in HTML that has any. */
function textOfHeading(html: string): string | undefined {
  const clean = sanitizeHtml(html, { allowedTags: ['h1', 'br'], allowedAttributes: {} })
  for (const [, heading = ''] of clean.matchAll(/<h1>(.*?)<\/h1>/gs)) {
    const text = heading
      .replace(/<br \/>/g, ' ')
      .replace(/&(lt|gt|quot|amp);/g, (entity, name) => ENTITIES.get(name) ?? entity)
      .replace(/\s+/g, ' ')
      .trim()
    if (isVisible(text)) return text
  }
  return undefined
}

/** Those that sanitize-html writes. */
const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['amp', '&'],
])
