import { createHash } from 'node:crypto'

/**
 * Lower-case ASCII words joined by hyphens, at most `maxLength` long; a valid slug comes back as it is.
 *
 * Accents go (NFKD). What would be lost otherwise, letters without an ASCII form or the end of a long text, is stood for
 * by a hash of the whole, so that two names do not fall together by accident: `Привет` and `Пока`, `C`, `C++` and `C#`.
 */
export function slugify(text: string, maxLength: number): string {
  const latin = text
    .normalize('NFKD')
    .replace(/[\p{M}'’]/gu, '')
    .toLowerCase()
    .replace(/[^\0-\x7f]/g, (letter) => latinLetters.get(letter) ?? letter)
    .replace(/(?<=[a-z0-9]\+*)\+/g, '-plus-')
    .replace(/(?<=[a-z0-9])#(?![a-z0-9])/g, '-sharp')
  const slug = latin.match(/[a-z0-9]+/g)?.join('-') ?? ''
  const isWhole = slug !== '' && slug.length <= maxLength && !/[^\0-\x7f]/.test(latin.replace(/[^\p{L}\p{N}]/gu, ''))
  if (isWhole) return slug
  const hash = createHash('sha256').update(text.normalize('NFC')).digest('hex').slice(0, 8)
  return `${slug.slice(0, maxLength - hash.length - 1)}-${hash}`.replace(/^-+/, '').replace(/-{2,}/g, '-')
}

/** Letters that NFKD does not take apart. */
const latinLetters = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['ł', 'l'],
  ['þ', 'th'],
  ['ħ', 'h'],
  ['ı', 'i'],
  ['ŋ', 'ng'],
])
