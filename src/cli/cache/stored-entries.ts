import { type Cache, decodeEntry, type Entry, type NamedKind } from '../../cache/index.ts'
import type { Progress } from '../../content/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { UsageError } from '../command.ts'

/** Finds a kind by its name, and makes the whole key of one of its entries. Throws a UsageError if there is no such kind. */
export function findKind(cache: Cache, name: string, key: string): { readonly kind: NamedKind; readonly key: string } {
  const kind = cache.find(name)
  if (kind) return { kind, key: key.startsWith(kind.prefix) ? key : kind.keyOf(key) }
  const names = cache.kinds.map((each) => each.name).join(', ')
  throw new UsageError(`There is no kind ${JSON.stringify(name)}, but ${names}.`)
}

export interface StoredEntry {
  readonly key: string
  /** Size of the key and the value in Redis. */
  readonly bytes: number
  /** Undefined if the value is not an entry that this version can read. */
  readonly entry: Entry | undefined
}

/** Reads the entries under `keys`. Leaves out those that Redis no longer holds. */
export async function readEntries(redis: GuardedRedis, keys: readonly string[]): Promise<StoredEntry[]> {
  const values = await redis.each(keys, (pipeline, key) => pipeline.getBuffer(key))
  return keys.flatMap((key, index) => {
    const value = values[index] as Buffer | null
    return value ? [{ key, bytes: Buffer.byteLength(key) + value.length, entry: decodeEntry(key, value) }] : []
  })
}

/** Reads up to `limit` entries of a namespace, in batches. Resolves with false if there were more. */
export async function readAllEntries(
  { redis, namespace }: { readonly redis: GuardedRedis; readonly namespace: string },
  { limit, onProgress }: { readonly limit: number; readonly onProgress: (progress: Progress) => void },
  visit: (entries: readonly StoredEntry[]) => Promise<void> | void,
): Promise<boolean> {
  const scan = scanKeys(redis, { prefix: namespace, batch: ENTRIES_AT_ONCE, limit, onProgress })
  let batch = await scan.next()
  for (; !batch.done; batch = await scan.next()) await visit(await readEntries(redis, batch.value))
  return batch.value
}

/** As many as one statement loads from the source. */
export const ENTRIES_AT_ONCE = 100

export interface ScanKeysOptions {
  /** The beginning of every key, taken literally. */
  readonly prefix: string
  /** The rest of every key, as a glob-style pattern. Default: anything. */
  readonly pattern?: string
  /** Keys in one batch. */
  readonly batch: number
  /** Keys in all. Default: no limit. */
  readonly limit?: number
  /** Called with how many of all keys in Redis were looked at, including those of other applications. */
  readonly onProgress?: (progress: Progress) => void
}

/**
 * Finds keys in Redis and yields them in batches, each key once. Uses SCAN, so that Redis serves other clients meanwhile;
 * keys that are added or deleted meanwhile may be missed. Returns false if the limit ended the scan.
 */
export async function* scanKeys(redis: GuardedRedis, options: ScanKeysOptions): AsyncGenerator<string[], boolean> {
  const { prefix, pattern = '*', batch, limit = Number.POSITIVE_INFINITY, onProgress = () => {} } = options
  // SCAN may return a key twice. So may two servers, while a slot moves from one to the other.
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

/** Yields the keys of each reply of SCAN, one server after the other. */
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

/** Keys that Redis looks at for one reply, which takes it a fraction of a millisecond. */
const STRIDE = 1000
