import type { Redis } from 'ioredis'
import { decodeEntry, type Entry } from '../../cache/index.ts'

export interface StoredEntry {
  readonly key: string
  /** What Redis holds, key included. */
  readonly bytes: number
  /** Undefined where it isn't an entry, or not one that this version can read. */
  readonly entry: Entry | undefined
}

/** What Redis holds under `keys`, as far as it is still there. */
export async function readEntries(redis: Redis, keys: readonly string[]): Promise<StoredEntry[]> {
  if (keys.length === 0) return []
  const values = await redis.mgetBuffer([...keys])
  return keys.flatMap((key, index) => {
    const value = values[index]
    return value ? [{ key, bytes: Buffer.byteLength(key) + value.length, entry: decodeEntry(key, value) }] : []
  })
}
