/** A text of MDX without its JSX, and how much of it there was. */
export interface WithoutJsx {
  readonly text: string
  /** How many components were left out. What stands between their tags stays. */
  readonly components: number
  readonly comments: number
  /** How many attributes of HTML tags were left out, because only JavaScript can read them. */
  readonly attributes: number
  /** How many expressions in braces stay as they are written: what they would give is not known. */
  readonly expressions: number
}

/**
 * Leaves out the tags of components (`<Chart data={…} />`), fragments, the attributes of HTML tags whose values are expressions, and comments in
 * braces. Reads nothing in code. A tag that is never closed stays. Throws an UnclosedBrace.
 */
export function leaveOutJsx(text: string): WithoutJsx {
  let kept = ''
  let components = 0
  let comments = 0
  let attributes = 0
  let expressions = 0
  for (let at = 0; at < text.length; ) {
    const code = codeEnd(text, at)
    const end = code ?? (text[at] === '{' ? closingBrace(text, at) : text[at] === '<' ? tagEnd(text, at) : undefined)
    const piece = text.slice(at, end ?? at + (text[at] === '\\' ? 2 : 1))
    at += piece.length
    if (code !== undefined || end === undefined) {
      kept += piece
    } else if (piece.startsWith('{')) {
      const inner = piece.slice(1, -1).trim()
      if (/^\/\*[\s\S]*\*\/$/.test(inner)) comments++
      else if (/^(["'])\s*\1$/.test(inner)) kept += ' '
      else if (inner !== '') {
        expressions++
        kept += piece
      }
    } else if (COMPONENT.test(piece)) {
      if (!piece.startsWith('</')) components++
    } else {
      const { tag, left } = withoutExpressions(piece)
      kept += tag
      attributes += left
    }
  }
  return { text: kept, components, comments, attributes, expressions }
}

/** A component's name has a capital or a dot. A fragment has none. */
const COMPONENT = /^<\/?(?:[A-Z]|[a-z][\w-]*\.|>)/

/** Where code ends that begins at an index: a fence at the start of a line, or backticks. Undefined if none begins there. */
export function codeEnd(text: string, at: number): number | undefined {
  if (at === 0 || text[at - 1] === '\n') {
    FENCE.lastIndex = at
    const mark = FENCE.exec(text)?.[1]
    if (mark) {
      const closing = new RegExp(`\\n {0,3}${mark}[^\\n]*`, 'g')
      closing.lastIndex = at + mark.length
      return closing.exec(text) ? closing.lastIndex : text.length
    }
  }
  if (text[at] !== '`' || text[at - 1] === '`') return undefined
  TICKS.lastIndex = at
  const ticks = TICKS.exec(text)?.[0] ?? ''
  const found = text.slice(at + ticks.length, at + MAX_CODE).search(new RegExp(`(?<!\`)${ticks}(?!\`)`))
  return at + ticks.length + (found < 0 ? 0 : found + ticks.length)
}

/** Nobody writes a longer one between backticks. */
const MAX_CODE = 2000

const FENCE = / {0,3}(`{3,100}|~{3,100})/y
const TICKS = /`{1,100}/y

/**
 * The index after the brace that closes the one at an index. Throws an UnclosedBrace if none does: MDX refuses the file too, and what follows may be a
 * comment.
 */
function closingBrace(text: string, at: number): number {
  let depth = 0
  for (let next = at; next < text.length; next++) {
    const character = text[next]
    if (character === '{') depth++
    else if (character === '}') depth--
    else if (character === '/' && text[next + 1] === '*') next = commentEnd(text, next, at)
    else if (character === '"' || character === "'" || character === '`') next = stringEnd(text, next)
    if (depth === 0) return next + 1
  }
  throw new UnclosedBrace(at)
}

/** Thrown if a body opens a brace that it never closes. */
export class UnclosedBrace extends Error {
  readonly index: number

  constructor(index: number) {
    super('opens { and never closes it')
    this.index = index
  }
}

function commentEnd(text: string, at: number, brace: number): number {
  const end = text.indexOf('*/', at + 2)
  if (end < 0) throw new UnclosedBrace(brace)
  return end + 1
}

/** The index of the quote that closes the one at an index, or the index itself: an apostrophe opens nothing. */
function stringEnd(text: string, at: number): number {
  const quote = text[at]
  for (let next = at + 1; next < text.length; next++) {
    if (text[next] === quote) return next
    if (text[next] === '\\') next++
    else if (text[next] === '\n' && quote !== '`') return at
  }
  return at
}

/** The index after the tag that begins at an index. */
function tagEnd(text: string, at: number): number | undefined {
  TAG.lastIndex = at
  if (!TAG.test(text)) return undefined
  for (let next = TAG.lastIndex; ; ) {
    const character = text[next]
    if (character === '>') return next + 1
    if (character === undefined || character === '<') return undefined
    if (character === '{') {
      next = closingBrace(text, next)
    } else if (character === '"' || character === "'") {
      const end = text.indexOf(character, next + 1)
      if (end < 0) return undefined
      next = end + 1
    } else {
      next++
    }
  }
}

const TAG = /<(?:\/?[A-Za-z][\w.-]*(?=[\s/>])|\/?(?=>))/y

/** An HTML tag without the attributes that only JavaScript can read. */
function withoutExpressions(tag: string): { readonly tag: string; readonly left: number } {
  let kept = ''
  let left = 0
  for (let at = 0; at < tag.length; ) {
    const end = tag[at] === '{' ? closingBrace(tag, at) : undefined
    if (end === undefined) kept += tag[at++]
    else {
      kept = kept.replace(/[\w:-]+\s*=\s*$/, '')
      left++
      at = end
    }
  }
  return { tag: kept, left }
}
