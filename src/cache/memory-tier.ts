import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.ts'
import { heapBytes } from './heap-bytes.ts'

/** The near tier: this process's own entries, least recently used out first, bounded in bytes of heap. */
export class MemoryTier {
  readonly #entries: LRUCache<string, Entry>

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#entries = new LRUCache({ maxSize: maxBytes })
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Like `get`, and not counted as use. */
  peek(key: string): Entry | undefined {
    return this.#entries.peek(key)
  }

  /** An entry larger than the whole tier is not kept, nor is what it would have replaced. */
  set(entry: Entry): void {
    this.#entries.set(entry.key, entry, { size: entryBytes(entry) })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Every entry, most recently used first. For inspection: nothing is counted as used. */
  entries(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  get bytes(): number {
    return this.#entries.calculatedSize
  }

  get size(): number {
    return this.#entries.size
  }
}

/** About how many bytes of heap an entry takes. */
export const entryBytes = ({ key, tags, value }: Entry): number =>
  heapBytes(key) + heapBytes(tags) + heapBytes(value) + OVERHEAD_BYTES

/** What an entry takes beside its key, tags and value: itself, its times and its place in the map. Measured. */
const OVERHEAD_BYTES = 240
