import type { Progress } from '../../content/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'

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
export async function* scanKeys(redis: GuardedRedis, options: ScanKeysOptions): AsyncGenerator<string[], boolean> {
  const { prefix, pattern = '*', batch, limit = Number.POSITIVE_INFINITY, onProgress = () => {} } = options
  // SCAN may bring a key again, and so may a slot that moves from one server to another.
  const seen = new Set<string>()
  let found: string[] = []
  for await (const keys of scan(redis, escapeGlob(prefix) + pattern, onProgress)) {
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
  }
  if (found.length > 0) yield found
  return true
}

/** What each answer brings, of one server after the other. */
async function* scan(redis: GuardedRedis, match: string, onProgress: (progress: Progress) => void) {
  const servers = redis.masters().flatMap(({ client }) => client ?? [])
  const sizes = await Promise.all(servers.map((server) => server.dbsize()))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  let done = 0
  for (const server of servers) {
    let cursor = '0'
    do {
      const [next, keys] = await server.scan(cursor, 'MATCH', match, 'COUNT', STRIDE)
      cursor = next
      done = Math.min(total, done + STRIDE)
      onProgress({ done, total })
      yield keys
    } while (cursor !== '0')
  }
}

const escapeGlob = (text: string): string => text.replace(/[*?[\]\\]/g, '\\$&')

/** How many keys Redis looks at for one answer: a fraction of a millisecond's work. */
const STRIDE = 1000
