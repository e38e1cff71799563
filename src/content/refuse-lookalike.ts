import { ContentProblem } from './content-record.ts'

/**
 * Refuses a text that begins with what looks like front matter, and is none that is read: its fence is missing, stands too late, or is none that is
 * known; or it stands in a comment, in a block of code, or as Pandoc has it. Its `draft: true` would be lost, and the rest published.
 *
 * @param opened the text without blank lines before it
 */
export function refuseLookalike(opened: string, firstLine: number): void {
  const { text, comments } = withoutComments(opened.replace(INVISIBLE, ''))
  if (isFields(text) || isFenced(text) || /^%[ \t]*\S.*\n%/.test(text) || comments.some(holdsField)) {
    throw new ContentProblem(firstLine, 'looks like front matter, and is not between --- or +++, or a JSON object')
  }
}

/** Refuses a body that begins with front matter: a file has it once, and what the second says would be published. */
export function refuseSecond(body: string, bodyLine: number): void {
  if (/^(?:---|\+\+\+)[^\n]*\n/.test(body) && isFenced(body)) {
    throw new ContentProblem(bodyLine, 'has front matter twice')
  }
}

/** Editors leave them before the first line, where nobody sees them. */
const INVISIBLE = /^[\s\p{Cf}]+/u

function withoutComments(opened: string): { readonly text: string; readonly comments: readonly string[] } {
  const comments: string[] = []
  let text = opened
  for (let comment = COMMENT.exec(text)?.[0]; comment !== undefined; comment = COMMENT.exec(text)?.[0]) {
    comments.push(comment)
    text = text.slice(comment.length)
  }
  return { text, comments }
}

const COMMENT =
  /^(?:<!--[\s\S]*?-->|\{\s*\/\*[\s\S]*?\*\/\s*\}|\{#[\s\S]*?#\}|\{%-?\s*comment\s*-?%\}[\s\S]*?\{%-?\s*endcomment\s*-?%\})\s*/

/** True for lines of fields up to a blank line, of which one is a field that is known: for one line alone, a field that no sentence begins with. */
function isFields(text: string): boolean {
  const lines = paragraphOf(text)
  const [first = ''] = lines
  return (
    FIELD.test(first) ||
    (lines.length > 1 && ANY_FIELD.test(first) && ANY_FIELD.test(lines[1] ?? '') && lines.some(isKnown))
  )
}

const isKnown = (line: string): boolean => FIELD.test(line) || KNOWN.test(line)

/** True if a fence, or the table of TOML, stands on one of the first lines, and a known field below it, before a blank line. */
function isFenced(text: string): boolean {
  const lines = text.slice(0, MAX_LOOK).split(LINE_END)
  const early = lines.slice(0, 4)
  return early.some((line, index) => {
    if (!FENCE.test(line)) return false
    const below = lines.slice(index + 1)
    const blank = below.findIndex((it) => it.trim() === '')
    return below.slice(0, blank < 0 ? undefined : blank).some(index === 0 ? isKnown : (it) => FIELD.test(it))
  })
}

/** The lines before the first blank one. */
function paragraphOf(text: string): readonly string[] {
  const lines = text.slice(0, MAX_LOOK).split(LINE_END)
  const blank = lines.findIndex((line) => line.trim() === '')
  return blank < 0 ? lines : lines.slice(0, blank)
}

/** Nikola has its fields in a comment of HTML, with two dots before each. */
const holdsField = (comment: string): boolean =>
  comment.startsWith('<!--') && comment.split(LINE_END).some((line) => FIELD.test(line.replace(/^\W+/, '')))

/** No tool has longer front matter. */
const MAX_LOOK = 65_536
/** Those of other systems, too: a file may have no other. */
const LINE_END = /\n|\u2028|\u2029|\u0085|\v|\f/
/** Also dashes that an editor made long, `;;;`, a block of code, and `[params]`. */
const FENCE = /^(?:[^\w\s]{1,10}|[-`~+;]{3,}[^\n]*|\[\[?[\w.-]+\]\]?)[ \t]*$/
const FIELD =
  /^["']?(?:title|date|draft|is[-_]?draft|published|status|layout|tags|categories|slug|permalink)["']?[ \t]*[:=]/i
const KNOWN =
  /^["']?(?:authors?|summary|description|category|visibility|private|hidden|unlisted|publish|publish[-_]?date|pub[-_]?date|modified|lastmod)["']?[ \t]*[:=]/i
const ANY_FIELD = /^["']?[A-Za-z][\w-]{0,40}["']?[ \t]*[:=]/
