import { LRUCache } from 'lru-cache'
import type { Entry } from './entry.ts'

/** The near tier: this process's own entries, least recently used out first, bounded in bytes. */
export class MemoryTier {
  readonly #entries: LRUCache<string, Entry>

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#entries = new LRUCache({ maxSize: maxBytes })
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** @param valueBytes the size of the encoded value. An entry larger than the whole tier is not kept. */
  set(entry: Entry, valueBytes: number): void {
    this.#entries.set(entry.key, entry, { size: valueBytes + entry.key.length + OVERHEAD_BYTES })
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

/** What an entry takes beside its key and its value: objects, tags and its place in the map. Measured: `npm run bench -- memory`. */
const OVERHEAD_BYTES = 600
