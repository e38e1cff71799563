import type { CacheTag } from '../cache/index.ts'

/**
 * Cache tags as `Surrogate-Key` has them: with spaces between. Where that grows too long, those of the table with the most
 * become `table:any`, which every write to the table purges: less is told apart, and nothing is missed.
 * @param tags each once
 */
export function surrogateKey(tags: readonly CacheTag[], maxLength = MAX_LENGTH): string {
  let words = tags.map(encode)
  while (lengthOf(words) > maxLength) {
    const table = longestOf(words)
    if (table === undefined) break
    const [others, ofTable] = [`${table}:any`, `${table}:`]
    words = words.filter((word) => !word.startsWith(ofTable))
    words.push(others)
  }
  return words.join(' ')
}

/** With the spaces between them. */
const lengthOf = (words: readonly string[]): number => words.reduce((sum, { length }) => sum + 1 + length, -1)

/** The table whose tags take the most room, undefined where none can be folded any more. */
function longestOf(words: readonly string[]): string | undefined {
  const lengths = new Map<string, number>()
  for (const word of words) {
    const colon = word.indexOf(':')
    if (colon < 0 || word.endsWith(':any')) continue
    const table = word.slice(0, colon)
    lengths.set(table, (lengths.get(table) ?? 0) + word.length)
  }
  const [longest] = [...lengths].sort(([, a], [, b]) => b - a)
  return longest?.[0]
}

/** A value may hold anything: what can't stand in a list of words can't here. */
const encode = (tag: CacheTag): string => (UNSAFE.test(tag) ? tag.replaceAll(ALL_UNSAFE, encodeURIComponent) : tag)

const UNSAFE = /[^\w.:=*~-]/
const ALL_UNSAFE = /[^\w.:=*~-]+/g

/** It goes out twice, for those who know it as `Cache-Tag`: with both and the rest a head stays below the 8 KB that proxies take. */
const MAX_LENGTH = 3000
