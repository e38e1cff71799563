import { type ParsedMarkdown, parseMarkdown } from '../../src/content/parse-markdown.ts'

type ParsedArticle = Extract<ParsedMarkdown, { readonly article: unknown }>

/** Parses a Markdown file as an import on 29 November 2026, at noon, would. Throws for a file that is no article. */
export function parseArticle(file: string, text: string): ParsedArticle {
  const parsed = parseMarkdown({ file, text, author: 'Anonymous', now: Date.UTC(2026, 10, 29, 12) })
  if ('unread' in parsed) throw new Error(`${file} ${parsed.unread}`)
  return parsed
}
