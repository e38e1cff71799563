import type { Redis } from 'ioredis'
import type { Progress } from '../../content/index.ts'

export interface ScanKeysOptions {
  /** Begins every key, as it is: what is special in a pattern isn't special in it. */
  readonly prefix: string
  /** The rest of a key, as a glob-style pattern. Default: anything. */
  readonly pattern?: string
  /** Keys in a batch at most. */
  readonly batch: number
  /** Keys in all at most. Default: no limit. */
  readonly limit?: number
  /** How far through all that this Redis holds, be it ours or not. */
  readonly onProgress?: (progress: Progress) => void
}

/**
 * Keys in Redis, each once, in batches. By SCAN, so that Redis serves others in between; what comes or goes meanwhile may
 * be missed. Returns true where there were no more, false where the limit ended it.
 */
export async function* scanKeys(redis: Redis, options: ScanKeysOptions): AsyncGenerator<string[], boolean> {
  const { prefix, pattern = '*', batch, limit = Number.POSITIVE_INFINITY, onProgress = () => {} } = options
  const total = await redis.dbsize()
  // SCAN may bring a key again.
  const seen = new Set<string>()
  let found: string[] = []
  let done = 0
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', escapeGlob(prefix) + pattern, 'COUNT', STRIDE)
    cursor = next
    done = Math.min(total, done + STRIDE)
    onProgress({ done, total })
    for (const key of keys) {
      if (seen.has(key)) continue
      if (seen.size >= limit) {
        if (found.length > 0) yield found
        return false
      }
      seen.add(key)
      found.push(key)
      if (found.length < batch) continue
      yield found
      found = []
    }
  } while (cursor !== '0')
  if (found.length > 0) yield found
  return true
}

const escapeGlob = (text: string): string => text.replace(/[*?[\]\\]/g, '\\$&')

/** How many keys Redis looks at for one answer: a fraction of a millisecond's work. */
const STRIDE = 1000
