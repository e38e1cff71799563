import type { Entry } from '../entry.ts'
import { heapBytes } from './heap-bytes.ts'
import { HeldEntry } from './held-entries.ts'
import { S3Fifo } from './s3-fifo.ts'

/** The near tier: this process's own entries, as many of those in use as fit into `maxBytes` of heap. */
export class MemoryTier {
  readonly #entries: S3Fifo<HeldEntry>

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#entries = new S3Fifo<HeldEntry>(maxBytes)
  }

  /** Counts as a use. */
  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Like `get`, but counts as no use: see `use`. */
  peek(key: string): HeldEntry | undefined {
    return this.#entries.peek(key)
  }

  /** An entry larger than the whole tier is not kept, nor is what it would have replaced. */
  set(entry: Entry): void {
    this.#entries.set(new HeldEntry(entry, entryBytes(entry)))
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Every entry, in no particular order. Counts as no use. */
  entries(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  get bytes(): number {
    return this.#entries.bytes
  }

  get size(): number {
    return this.#entries.size
  }
}

/** About how many bytes of heap an entry takes. */
export const entryBytes = ({ key, tags, value }: Entry): number =>
  heapBytes(key) + heapBytes(tags) + heapBytes(value) + OVERHEAD_BYTES

/** What an entry takes beside its key, tags and value: itself, its times and marks, its slot in map and queue, and a hash that outlives it. Measured. */
const OVERHEAD_BYTES = 288
