import type { CacheTag } from '../cache/index.ts'

/**
 * Cache tags as `Surrogate-Key` has them: with spaces between. Where that grows too long, those of the table with the most
 * become `table:any`, which every write to the table purges: less is told apart, and nothing is missed. The order of the tags makes no difference.
 */
export function surrogateKey(tags: readonly CacheTag[], maxLength = MAX_LENGTH): string {
  const encoded = new Set(tags.map(encode))
  for (let text = join(encoded); ; text = join(encoded)) {
    const table = text.length > maxLength ? longestOf(encoded) : undefined
    if (table === undefined) return text
    for (const tag of encoded) if (tag.startsWith(`${table}:`)) encoded.delete(tag)
    encoded.add(`${table}:any`)
  }
}

const join = (tags: Iterable<string>): string => [...tags].sort().join(' ')

/** The table whose tags take the most room, undefined where none can be folded any more. */
function longestOf(tags: Iterable<string>): string | undefined {
  const lengths = new Map<string, number>()
  for (const tag of tags) {
    const colon = tag.indexOf(':')
    if (colon < 0 || tag.endsWith(':any')) continue
    const table = tag.slice(0, colon)
    lengths.set(table, (lengths.get(table) ?? 0) + tag.length)
  }
  const [longest] = [...lengths].sort(([, a], [, b]) => b - a)
  return longest?.[0]
}

/** A value may hold anything: what can't stand in a list of words can't here. */
const encode = (tag: CacheTag): string => tag.replace(/[^\w.:=*~-]+/g, encodeURIComponent)

/** It goes out twice, for those who know it as `Cache-Tag`: with both and the rest a head stays below the 8 KB that proxies take. */
const MAX_LENGTH = 3000
