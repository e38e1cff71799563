import { fnv1a } from '../../kernel/fnv.ts'
import { FifoQueue, QueueItem } from './fifo-queue.ts'
import { type Slot, use } from './slots.ts'

/**
 * A map bounded in bytes. A new item waits in a small queue, a tenth of all. If it is used twice there, it moves on to the
 * main queue, where each use buys one more round. Otherwise it is dropped, and only a hash of its key is remembered: if the
 * key is set again soon, it comes into the main queue at once. So a scan passes through the small queue and displaces
 * nothing that is in use. `npm run bench -- eviction` compares it with others.
 *
 * Yang, Zhang, Qiu, Yue, Rashmi: "FIFO Queues are All You Need for Cache Eviction" (S3-FIFO), SOSP 2023.
 */
export class S3Fifo<V> {
  readonly #maxBytes: number
  readonly #held = new Map<string, QueueItem<V>>()
  readonly #small = new FifoQueue<V>()
  readonly #main = new FifoQueue<V>()
  /** Hashes of keys that left the small queue, oldest first. At most as many as items were held when the last key left. */
  readonly #ghosts = new Set<number>()
  /** Stands before the oldest ghost. Kept, because an iterator begun anew steps over the holes of all that were deleted. */
  #oldestGhosts = this.#ghosts.values()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Counts as a use. */
  get(key: string): V | undefined {
    const item = this.#held.get(key)
    return item && use(item)
  }

  /** The slot of `key`, for `use`: a caller that keeps it need not look the key up again, until its value was dropped. */
  find(key: string): Slot<V> | undefined {
    return this.#held.get(key)
  }

  /** Counts as no use. */
  peek(key: string): V | undefined {
    return this.#held.get(key)?.value
  }

  /** A value larger than the whole map is not kept, nor is the one that it would have replaced. */
  set(key: string, value: V, bytes: number): void {
    if (bytes > this.#maxBytes) {
      this.delete(key)
      return
    }
    const held = this.#held.get(key)
    const before = held?.queue
    if (held) before?.remove(held)
    while (this.bytes + bytes > this.#maxBytes) this.#evict()
    // In the same slot, so that `find` need not be called again. And a Map clears up the holes of deleted keys in long pauses.
    const item = held ?? new QueueItem(key, value, bytes)
    item.value = value
    item.bytes = bytes
    const queue = before ?? (this.#ghosts.delete(hashOf(key)) ? this.#main : this.#small)
    queue.push(item)
    if (!held) this.#held.set(key, item)
  }

  delete(key: string): void {
    const item = this.#held.get(key)
    if (!item) return
    item.queue?.remove(item)
    this.#held.delete(key)
    item.value = undefined
  }

  clear(): void {
    for (const item of this.#held.values()) item.value = undefined
    this.#held.clear()
    this.#small.clear()
    this.#main.clear()
    this.#ghosts.clear()
    this.#oldestGhosts = this.#ghosts.values()
  }

  /** In no particular order. Counts as no use. */
  *values(): IterableIterator<V> {
    for (const { value } of this.#held.values()) if (value !== undefined) yield value
  }

  get bytes(): number {
    return this.#small.bytes + this.#main.bytes
  }

  get size(): number {
    return this.#held.size
  }

  /** Drops the oldest of a queue, or gives it another round. */
  #evict(): void {
    const fromSmall = this.#small.bytes > SMALL_SHARE * this.#maxBytes || !this.#main.oldest
    const queue = fromSmall ? this.#small : this.#main
    const item = queue.oldest
    if (!item) return
    queue.remove(item)
    if (item.uses > (fromSmall ? 1 : 0)) {
      item.uses = fromSmall ? 0 : item.uses - 1
      this.#main.push(item)
      return
    }
    this.#held.delete(item.key)
    item.value = undefined
    if (fromSmall) this.#remember(hashOf(item.key))
  }

  #remember(hash: number): void {
    this.#ghosts.delete(hash)
    this.#ghosts.add(hash)
    while (this.#ghosts.size > this.#held.size) this.#ghosts.delete(this.#oldestGhosts.next().value ?? hash)
  }
}

const SMALL_SHARE = 0.1

/** In 30 bits, which V8 stores without a box. If two keys share a hash, a new key may be taken for one that came back. */
const hashOf = (key: string): number => fnv1a(key) >>> 2
