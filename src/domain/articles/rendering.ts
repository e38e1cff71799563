/** A body as HTML that is safe to put into a page. */
export interface Rendering {
  readonly html: string
  /** Why the body can't be rendered, and what would help: a clause such as "it nests …". `html` is then its text, escaped. */
  readonly refusal?: string
}

export function isRendering(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { html, refusal = '' } = value as { readonly html?: unknown; readonly refusal?: unknown }
  return typeof html === 'string' && typeof refusal === 'string'
}

/** What readers see of a body that can't be rendered: its Markdown, as it is written. */
export const refuse = (text: string, refusal: string): Rendering => ({
  html: `<pre>${text.replace(/[&<>]/g, (character) => ESCAPED[character] ?? character)}</pre>\n`,
  refusal,
})

const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
