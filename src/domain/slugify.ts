import { createHash } from 'node:crypto'

/**
 * Makes a slug: lower-case ASCII words joined by hyphens, at most `maxLength` characters. Returns a valid slug unchanged.
 *
 * Accents are removed (NFKD). If letters have no ASCII form, or the text is too long, a hash of the whole text is added,
 * so that different names keep different slugs.
 *
 * @example slugify('Crème brûlée', 100) // 'creme-brulee'
 * @example slugify('C++', 100) // 'c-plus-plus'
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

/** Letters that NFKD does not decompose. */
const latinLetters = new Map(
  Object.entries({ ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', þ: 'th', ħ: 'h', ı: 'i', ŋ: 'ng' }),
)
