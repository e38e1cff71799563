import type { Cache } from '../../cache/index.ts'
import type { Progress } from '../../content/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { ENTRIES_AT_ONCE, scanKeys } from './stored-entries.ts'

export interface Warmed {
  /** How many queries were answered, or how many entries are in Redis now. */
  readonly warmed: number
  /** Entries that cannot be loaded by the text of their keys. */
  readonly skipped: number
  readonly failed: readonly { readonly what: string; readonly message: string }[]
}

export interface HottestParts {
  readonly redis: GuardedRedis
  readonly cache: Cache
  /** Prefix of the keys under which nodes store their most used entries, as `[[kind, key, count], …]`. */
  readonly hotPrefix: string
  flush(): Promise<void>
}

export interface LoadHottestOptions {
  readonly limit: number
  readonly onProgress: (progress: Progress) => void
}

/** Loads the entries that nodes remember as their most used, most used first, and stores them in Redis. */
export async function loadHottest(
  { redis, cache, hotPrefix, flush }: HottestParts,
  { limit, onProgress }: LoadHottestOptions,
): Promise<Warmed> {
  const hottest = (await readHottest(redis, hotPrefix)).slice(0, limit)
  const failed: { what: string; message: string }[] = []
  let skipped = 0
  let done = 0

  const load = async (kindName: string, keys: readonly string[]): Promise<void> => {
    try {
      const loading = cache.find(kindName)?.getByText(keys, { fresh: true })
      if (!loading) skipped += keys.length
      else await loading
    } catch (error) {
      const [key] = keys
      // Another key of the batch may be at fault: retry each key alone.
      if (keys.length > 1) for (const each of keys) await load(kindName, [each])
      else failed.push({ what: `${kindName} ${key}`, message: (error as Error).message })
    }
  }

  for (const { kind, keys } of batchesOf(hottest)) {
    await load(kind, keys)
    done += keys.length
    onProgress({ done, total: hottest.length })
  }
  await flush()
  return { warmed: hottest.length - skipped - failed.length, skipped, failed }
}

interface HotEntry {
  readonly kind: string
  readonly key: string
  readonly count: number
}

/** The entries that any node remembers, with the sums of their counts, most used first. */
async function readHottest(redis: GuardedRedis, hotPrefix: string): Promise<HotEntry[]> {
  const sums = new Map<string, HotEntry>()
  for await (const names of scanKeys(redis, { prefix: hotPrefix, batch: 100 })) {
    for (const text of await redis.each(names, (pipeline, name) => pipeline.get(name))) {
      for (const { kind, key, count } of parseHot(text as string | null)) {
        const id = JSON.stringify([kind, key])
        sums.set(id, { kind, key, count: count + (sums.get(id)?.count ?? 0) })
      }
    }
  }
  return [...sums.values()].sort((a, b) => b.count - a.count)
}

/** Ignores whatever has another form, because another version may have written it. */
function parseHot(text: string | null): HotEntry[] {
  try {
    const items: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(items)) return []
    return items.flatMap((item: unknown) => {
      const [kind, key, count] = Array.isArray(item) ? item : []
      return typeof kind === 'string' && typeof key === 'string' && Number.isFinite(count) ? [{ kind, key, count }] : []
    })
  } catch {
    return []
  }
}

/** Batches of keys of one kind each. A batch is yielded as soon as it is full, so that the most used entries come first. */
function* batchesOf(entries: readonly HotEntry[]): Generator<{ readonly kind: string; readonly keys: string[] }> {
  const open = new Map<string, string[]>()
  for (const { kind, key } of entries) {
    const keys = open.get(kind) ?? []
    open.set(kind, keys)
    keys.push(key)
    if (keys.length < ENTRIES_AT_ONCE) continue
    yield { kind, keys }
    open.delete(kind)
  }
  for (const [kind, keys] of open) yield { kind, keys }
}
