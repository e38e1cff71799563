import { decodeEntry, type Entry } from '../../cache/index.ts'
import type { GuardedRedis } from '../../redis/index.ts'

export interface StoredEntry {
  readonly key: string
  /** What Redis holds, key included. */
  readonly bytes: number
  /** Undefined where it isn't an entry, or not one that this version can read. */
  readonly entry: Entry | undefined
}

/** What Redis holds under `keys`, as far as it is still there. */
export async function readEntries(redis: GuardedRedis, keys: readonly string[]): Promise<StoredEntry[]> {
  const values = await redis.each(keys, (pipeline, key) => pipeline.getBuffer(key))
  return keys.flatMap((key, index) => {
    const value = values[index] as Buffer | null
    return value ? [{ key, bytes: Buffer.byteLength(key) + value.length, entry: decodeEntry(key, value) }] : []
  })
}
