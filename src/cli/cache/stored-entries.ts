import type { Cache, Entry, NamedKind } from '../../cache/index.ts'
import type { Progress } from '../../content/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { UsageError } from '../command.ts'
import type { EngineWithRedis } from '../with-engine.ts'

export interface StoredEntry {
  readonly key: string
  /** Size of the key and the value in Redis. */
  readonly bytes: number
  /** Undefined if the value is not an entry that this version can read. */
  readonly entry: Entry | undefined
}

/** Reads the entry of a kind under `rawKey`, which may be a whole key. Throws a UsageError if there is no such kind. */
export async function readEntry(
  { redis, cache }: EngineWithRedis,
  kindName: string,
  rawKey: string,
): Promise<{ readonly kind: NamedKind; readonly key: string; readonly stored: StoredEntry | undefined }> {
  const kind = cache.find(kindName)
  if (!kind) {
    const names = cache.kinds.map(({ name }) => name).join(', ')
    throw new UsageError(`There is no kind ${JSON.stringify(kindName)}, but ${names}.`)
  }
  const key = rawKey.startsWith(kind.prefix) ? rawKey : kind.keyOf(rawKey)
  const [stored] = await readEntries({ redis, cache }, [key])
  return { kind, key, stored }
}

/** Reads the entries under `keys`. Leaves out those that Redis no longer holds. */
export async function readEntries({ redis, cache }: Stores, keys: readonly string[]): Promise<StoredEntry[]> {
  const values = await redis.each(keys, (client, key) => client.getBuffer(key))
  return keys.flatMap((key, index) => {
    const value = values[index] as Buffer | null
    return value ? [{ key, bytes: Buffer.byteLength(key) + value.length, entry: cache.decode(key, value) }] : []
  })
}

interface Stores {
  readonly redis: GuardedRedis
  /** Knows the secrets. */
  readonly cache: Cache
}

/** Reads up to `limit` entries of the engine's namespace, in batches. Resolves with false if there were more. */
export async function readAllEntries(
  { redis, cache, namespace: prefix }: EngineWithRedis,
  { limit, onProgress }: { readonly limit: number; readonly onProgress: (progress: Progress) => void },
  visit: (entries: readonly StoredEntry[]) => Promise<void> | void,
): Promise<boolean> {
  const scan = scanKeys(redis, { prefix, limit, onProgress })
  let batch = await scan.next()
  for (; !batch.done; batch = await scan.next()) await visit(await readEntries({ redis, cache }, batch.value))
  return batch.value
}

/** As many as one statement loads from the source. */
export const ENTRIES_AT_ONCE = 100

export interface ScanKeysOptions {
  /** The beginning of every key, taken literally. */
  readonly prefix: string
  /** The rest of every key, as a glob-style pattern. Default: anything. */
  readonly pattern?: string
  /** Keys in one batch. Default: ENTRIES_AT_ONCE. */
  readonly batch?: number
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
  const { batch = ENTRIES_AT_ONCE, limit = Number.POSITIVE_INFINITY } = options
  // SCAN may return a key twice. So may two servers, while a slot moves from one to the other.
  const seen = new Set<string>()
  let found: string[] = []
  for await (const keys of scan(redis, options)) {
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
async function* scan(redis: GuardedRedis, { prefix, pattern = '*', onProgress }: ScanKeysOptions) {
  const match = prefix.replace(/[*?[\]\\]/g, '\\$&') + pattern
  const servers = redis.masters().flatMap(({ client }) => client ?? [])
  const sizes = await Promise.all(servers.map((server) => server.dbsize()))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  let done = 0
  for (const server of servers) {
    for await (const keys of server.scanStream({ match, count: STRIDE })) {
      done = Math.min(total, done + STRIDE)
      onProgress?.({ done, total })
      yield keys as string[]
    }
  }
}

/** Keys that Redis looks at for one reply, which takes it a fraction of a millisecond. */
const STRIDE = 1000
