import type { Cache } from '../../cache/index.ts'
import type { Progress } from '../../content/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import { scanKeys } from './scan-keys.ts'
import type { Warmed } from './warmed.ts'

export interface HottestParts {
  readonly redis: GuardedRedis
  readonly cache: Cache
  /** Begins the keys under which nodes remember their hottest entries: `[[kind, key, count], …]`. */
  readonly hotPrefix: string
  flush(): Promise<void>
}

export interface LoadHottestOptions {
  /** Entries at most. */
  readonly limit: number
  readonly onProgress: (progress: Progress) => void
}

/** Loads what nodes remember as their hottest entries, the hottest first, so that Redis holds it. */
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
      // One of many may be to blame.
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

/** What all nodes remember, added up, the hottest first. */
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

/** Nothing of what isn't as a node writes it: another version may have. */
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

/** Batches of one kind each: the kind whose batch is full first, first. */
function* batchesOf(entries: readonly HotEntry[]): Generator<{ readonly kind: string; readonly keys: string[] }> {
  const open = new Map<string, string[]>()
  for (const { kind, key } of entries) {
    const keys = open.get(kind) ?? []
    open.set(kind, keys)
    keys.push(key)
    if (keys.length < BATCH) continue
    yield { kind, keys }
    open.delete(kind)
  }
  for (const [kind, keys] of open) yield { kind, keys }
}

/** As many as the source is asked for in one statement. */
const BATCH = 100
