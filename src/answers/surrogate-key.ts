import type { CacheTag } from '../cache/index.ts'

/**
 * Cache tags as `Surrogate-Key` has them: with spaces between. If that grows too long, those of the table with the most become
 * `table:any`, which every write to the table purges: less is told apart, and nothing is missed.
 *
 * @param tags each once
 * @returns undefined if they can't be named in so little room. HAZARD: no CDN may keep that answer, because it could not be purged
 */
export function surrogateKey(tags: readonly CacheTag[], maxLength = MAX_LENGTH): string | undefined {
  const words = tags.map(encode)
  const tables = measureTables(words)
  const folded = new Set<string | undefined>()
  for (const word of words) if (isTooLong(word)) folded.add(tableOf(word) ?? word)
  let length = lengthOf(words)
  for (const [table, room] of tables) {
    if (length <= maxLength && !folded.has(table)) continue
    folded.add(table)
    length += anyOf(table).length + 1 - room
  }
  const told = words.filter((word) => !folded.has(tableOf(word)))
  for (const [table] of tables) if (folded.has(table)) told.push(anyOf(table))
  const isTold = lengthOf(told) <= maxLength && !told.some(isTooLong)
  return isTold ? told.join(' ') : undefined
}

const isTooLong = (word: string): boolean => word.length > MAX_WORD_LENGTH

/** With the spaces between them. */
const lengthOf = (words: readonly string[]): number => words.reduce((sum, { length }) => sum + 1 + length, -1)

/** How much room the words of each table take, with a space for each. The table that takes the most stands first. */
function measureTables(words: readonly string[]): [table: string, room: number][] {
  const rooms = new Map<string, number>()
  for (const word of words) {
    const table = tableOf(word)
    if (table !== undefined) rooms.set(table, (rooms.get(table) ?? 0) + word.length + 1)
  }
  return [...rooms].sort(([, a], [, b]) => b - a)
}

/** The table of a word. Undefined if it names none: such a word can't be folded. */
function tableOf(word: string): string | undefined {
  const colon = word.indexOf(':')
  return colon < 0 ? undefined : word.slice(0, colon)
}

const anyOf = (table: string): string => `${table}:any`

/** A tag may hold anything, and a head only words: the rest is escaped. Half of a surrogate pair has no escape. */
const encode = (tag: CacheTag): string =>
  UNSAFE.test(tag) ? tag.replaceAll(/\p{Surrogate}/gu, '\ufffd').replaceAll(ALL_UNSAFE, encodeURIComponent) : tag

const UNSAFE = /[^\w.:=*~-]/
const ALL_UNSAFE = /[^\w.:=*~-]+/g

/**
 * Goes out twice, also as `Cache-Tag`: with the rest a head stays below the 8 KB that proxies take. Fastly takes 16,384 bytes
 * (fastly.com/documentation/reference/http/http-headers/Surrogate-Key), Cloudflare 16 KB
 * (developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags).
 */
const MAX_LENGTH = 3000
/** Both ignore a longer word. */
const MAX_WORD_LENGTH = 1024
