import sanitizeHtml from 'sanitize-html'

export interface WordpressBody {
  /** HTML that Markdown takes as it is: it begins with a block element, and holds no blank line. */
  readonly html: string
  /** What of it WordPress would have made something else of, in words. */
  readonly notes: readonly string[]
}

/**
 * Makes the HTML of an article from what WordPress' editors write. Texts of the classic editor get their paragraphs and line
 * breaks, which WordPress adds when it shows them. In texts of the block editor these are written already, and only the comments
 * that mark the blocks are taken out.
 *
 * Shortcodes stay as they are written. Blocks that WordPress fills by itself hold no text. The notes name both.
 */
export function wordpressBody(content: string): WordpressBody {
  const text = content.replace(/\r\n?/g, '\n')
  const { html, dynamic } = leaveOutBlocks(text)
  const shortcodes = new Set<string>()
  for (const [, own, open, closed] of text.matchAll(SHORTCODE))
    shortcodes.add((own ?? open ?? closed ?? '').toLowerCase())
  return {
    html: asOneBlock(html),
    notes: [
      ...(shortcodes.size > 0 ? [`holds shortcodes, which stay as text: ${listed(shortcodes)}`] : []),
      ...(dynamic.size > 0
        ? [`holds blocks that only WordPress can fill, and which are left out: ${listed(dynamic)}`]
        : []),
    ],
  }
}

/** The text of a title, a name or an excerpt, which WordPress keeps as HTML. */
export function plainText(html: string): string {
  return sanitizeHtml(html, { allowedTags: [] })
    .replace(/&(lt|gt|quot|amp);/g, (_, name: keyof typeof CHARACTERS) => CHARACTERS[name])
    .trim()
}

/** All that sanitize-html escapes. */
const CHARACTERS = { lt: '<', gt: '>', quot: '"', amp: '&' }

/** Of WordPress itself, with attributes, or closed: `[sic]` is none. */
const SHORTCODE =
  /\[(?:(gallery|caption|wp_caption|audio|video|playlist|embed)(?=[\s\]])|([a-z][\w-]{0,50})\s+[\w-]{1,50}=["'\w]|\/([a-z][\w-]{0,50})\])/gi

const listed = (names: ReadonlySet<string>): string => [...names].slice(0, 10).join(', ')

/** Takes out the comments of the block editor, and gives paragraphs to what stands between blocks. */
function leaveOutBlocks(text: string): { readonly html: string; readonly dynamic: ReadonlySet<string> } {
  const dynamic = new Set<string>()
  let html = ''
  let depth = 0
  let from = 0
  for (const mark of text.matchAll(BLOCK)) {
    const piece = text.slice(from, mark.index)
    html += depth > 0 ? piece : `${addParagraphs(piece)}\n`
    from = mark.index + mark[0].length
    const [whole, closing, name = ''] = mark
    if (closing) depth = Math.max(0, depth - 1)
    else if (!whole.endsWith('/-->')) depth++
    else if (!/^(?:more|nextpage|spacer|separator)$/.test(name)) dynamic.add(name)
  }
  const rest = text.slice(from)
  return { html: html + (depth > 0 ? rest : addParagraphs(rest)), dynamic }
}

/** HAZARD: nothing between the marks may be able to begin one. Otherwise a text of many beginnings takes the square of its length. */
const BLOCK = /<!--\s{0,20}(\/)?wp:([a-z][\w/-]{0,100})(?:[^-<]|-(?!->)|<(?!!--))*-->/g

/** Elements that stand between paragraphs, and not in one. */
const BLOCKS = new Set(
  `address article aside blockquote caption col colgroup dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6
  header hgroup hr legend li main menu nav ol p pre script section style summary table tbody td tfoot th thead tr ul`.split(
    /\s+/,
  ),
)

/** Elements in which a text gets no paragraphs, however it is spaced. */
const PLAIN = /^(?:p|h[1-6]|summary|legend|caption|figcaption)$/
const VOID = /^(?:hr|col)$/

/**
 * Gives a text paragraphs where it has blank lines, and breaks where its lines end, but not within tags and elements that keep
 * their spaces. A text that is alone in its element gets no paragraph.
 */
function addParagraphs(text: string): string {
  const pieces: string[] = []
  const open = new OpenElements()
  let run = ''
  // Whether what comes next belongs on the line of what came last.
  let isWithin = false
  const push = (piece: string) => {
    if (isWithin) pieces.push(`${pieces.pop() ?? ''}${piece}`)
    else pieces.push(piece)
  }
  const endRun = () => {
    const paragraphs = run
      .split(/\n[ \t]*\n/)
      .map(withBreaks)
      .filter((it) => it !== '')
    run = ''
    const container = open.last
    isWithin = paragraphs.length > 0 && container !== undefined && (paragraphs.length === 1 || PLAIN.test(container))
    if (container === 'p') push(paragraphs.join('</p>\n<p>'))
    else if (isWithin) push(paragraphs.join('<br>\n'))
    else for (const it of paragraphs) push(`<p>${it}</p>`)
  }
  for (const [token, raw, closing, given = ''] of text.matchAll(TOKEN)) {
    const name = (raw ?? given).toLowerCase()
    if (token.startsWith('<!--')) continue
    if (!BLOCKS.has(name)) {
      run += name === '' ? token : token.replaceAll('\n', ' ')
      continue
    }
    endRun()
    push(raw === undefined ? token.replaceAll('\n', ' ') : token)
    if (raw !== undefined || VOID.test(name)) continue
    if (closing) open.close(name)
    else open.open(name)
  }
  endRun()
  return pieces.join('\n')
}

/** A comment; an element that keeps its spaces; a tag; a text. HAZARD: each must take time in proportion to its length. */
const TOKEN =
  /<!--[\s\S]*?(?:-->|$)|<(pre|script|style|textarea|svg|math)\b[\s\S]*?(?:<\/\1\s*>|$)|<(\/)?([a-z][a-z0-9]*)(?![^\s/>])(?:[^<>"']|"[^"]*"|'[^']*')*>|[^<]+|</gi

class OpenElements {
  readonly #names: string[] = []
  readonly #counts = new Map<string, number>()

  get last(): string | undefined {
    return this.#names.at(-1)
  }

  open(name: string): void {
    // A paragraph ends by itself before the next block.
    if (this.last === 'p') this.#pop()
    this.#names.push(name)
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  /** Closes the last element of a name, and all within it. Does nothing if none is open. */
  close(name: string): void {
    if ((this.#counts.get(name) ?? 0) === 0) return
    while (this.#pop() !== name);
  }

  #pop(): string | undefined {
    const name = this.#names.pop()
    if (name !== undefined) this.#counts.set(name, (this.#counts.get(name) ?? 0) - 1)
    return name
  }
}

function withBreaks(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim())
  const last = lines.length - 1
  const html = lines
    .map((line, index) => (index === last || /<br\s{0,5}\/?>$/i.test(line) ? line : `${line}<br>`))
    .join('\n')
  return /^https?:\/\/[^\s<>"]+$/.test(html) ? `<a href="${html}">${html}</a>` : html
}

/** Markdown takes HTML as it is, from a block element to the next blank line. */
function asOneBlock(html: string): string {
  const filled = html
    .trim()
    .replace(/<pre\b[\s\S]*?(?:<\/pre\s*>|$)/gi, (pre) => pre.replace(/\n(?=[ \t]*\n)/g, '&#10;'))
    .replace(/\n\s*\n/g, '\n')
  return filled === '' || BEGINS_BLOCK.test(filled) ? filled : `<div>\n${filled}\n</div>`
}

const BEGINS_BLOCK = /^<(?:p|div|h[1-6]|ul|ol|table|blockquote|figure|section)[\s>]/i
