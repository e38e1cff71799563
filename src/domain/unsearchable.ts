/**
 * Why PostgreSQL's text search would take far longer for a text than its length explains: a clause such as "holds …". Undefined if
 * it would not. The parser behind `to_tsvector` tries anew, from each character of a word, whether the rest of it is an address,
 * a path or a name; and reads on from each `<!--` to its end.
 */
export function whyUnsearchable(text: string): string | undefined {
  const searched = firstCharacters(firstCharacters(text, MAX_SEARCHED).normalize('NFKC'), MAX_SEARCHED)
  let steps = 0
  for (const [word] of searched.matchAll(LONG_WORD)) if (DEAR.test(word)) steps += word.length ** 2
  if (steps > MAX_STEPS)
    return 'holds too many long words of letters with _, @, ~ or dots and slashes: put spaces into them'
  const open = searched.slice(searched.lastIndexOf('-->') + 1)
  if (open.split('<!--').length - 1 > MAX_OPEN) return `holds more than ${MAX_OPEN} HTML comments that are never closed`
  return undefined
}

/** In code points, before and after the text is brought into its form NFKC: see `articles_words` in the migrations. */
const MAX_SEARCHED = 100_000

const LONG_WORD = /[\w@~/.+-]{201,}/g
const DEAR = /[_@~]|\/\.|\.\//

/** One word of 3,000 characters, or a hundred of 300. */
const MAX_STEPS = 9_000_000
const MAX_OPEN = 100

function firstCharacters(text: string, count: number): string {
  let end = 0
  for (let seen = 0; seen < count && end < text.length; seen++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  return text.slice(0, end)
}
