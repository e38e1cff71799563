/**
 * True if a text has anything that can be seen. White space, control and format characters, fillers, variation selectors, tag
 * characters and combining marks without a letter can't be seen.
 *
 * @example isVisible('\u200b\u2060 ') // false
 */
export const isVisible = (text: string): boolean => SEEN.test(text)

/**
 * Writes what can't be seen in a text as JavaScript and JSON escape it, so that a message shows it. Spaces stay, and so do marks on a letter.
 *
 * @example escapeUnseen('a\u200bb') // 'a\\u200bb'
 */
export const escapeUnseen = (text: string): string => text.replace(HIDDEN, escaped)

const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** Characters whose pictures are blank, although no property says so: Braille, a note without a head, Egyptian blanks. */
const BLANKS = '\\u2800\\u{1D159}\\u{13441}\\u{13442}'
const UNSEEN = `\\p{White_Space}\\p{Default_Ignorable_Code_Point}\\p{Cc}\\p{Cf}\\p{Noncharacter_Code_Point}${BLANKS}`
const SEEN = new RegExp(`[^${UNSEEN}\\p{M}]`, 'u')
const HIDDEN = new RegExp(`(?! )[${UNSEEN}]|(?<![\\p{L}\\p{N}\\p{S}\\p{M}])\\p{M}+`, 'gu')
