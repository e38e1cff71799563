import MarkdownIt from 'markdown-it'

/** Reads Markdown: CommonMark, tables, HTML, and addresses as links. What renders a body and what looks for its title must agree. */
export const markdown = new MarkdownIt({ html: true, linkify: true })
