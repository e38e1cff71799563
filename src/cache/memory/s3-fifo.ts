import { fnv1a } from '../../kernel/fnv.ts'
import { FifoQueue, type QueueItem } from './fifo-queue.ts'
import { use } from './held-entries.ts'

/**
 * A map bounded in bytes. A new item waits in a small queue, a tenth of all. If it is used twice there, it moves on to the
 * main queue, where each use buys one more round. Otherwise it is dropped, and only a hash of its key is remembered: if the
 * key is set again soon, it comes into the main queue at once. So a scan passes through the small queue and displaces
 * nothing that is in use. `npm run bench -- eviction` compares it with others.
 *
 * Yang, Zhang, Qiu, Yue, Rashmi: "FIFO Queues are All You Need for Cache Eviction" (S3-FIFO), SOSP 2023.
 */
export class S3Fifo<Item extends QueueItem<Item>> {
  readonly #maxBytes: number
  readonly #held = new Map<string, Item>()
  readonly #small = new FifoQueue<Item>()
  readonly #main = new FifoQueue<Item>()
  /** Hashes of keys that left the small queue, oldest first. At most as many as items were held when the last key left. */
  readonly #ghosts = new Set<number>()
  /** Stands before the oldest ghost. Kept, because an iterator begun anew steps over the holes of all that were deleted. */
  #oldestGhosts = this.#ghosts.values()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Counts as a use. */
  get(key: string): Item | undefined {
    const item = this.#held.get(key)
    if (item) use(item)
    return item
  }

  /** Counts as no use. */
  peek(key: string): Item | undefined {
    return this.#held.get(key)
  }

  /** An item larger than the whole map is not kept, nor is the one that it would have replaced. */
  set(item: Item): void {
    const { key, bytes } = item
    if (bytes > this.#maxBytes) {
      this.delete(key)
      return
    }
    const held = this.#held.get(key)
    const before = held?.queue
    if (held) {
      this.#leave(held)
      item.uses = held.uses
    }
    while (this.bytes + bytes > this.#maxBytes) this.#evict()
    const queue = before ?? (this.#ghosts.delete(hashOf(key)) ? this.#main : this.#small)
    queue.push(item)
    // In the place of the one before: a Map clears up the holes of deleted keys in long pauses.
    this.#held.set(key, item)
  }

  delete(key: string): void {
    const item = this.#held.get(key)
    if (!item) return
    this.#held.delete(key)
    this.#leave(item)
  }

  clear(): void {
    for (const item of this.#held.values()) this.#leave(item)
    this.#held.clear()
    this.#ghosts.clear()
    this.#oldestGhosts = this.#ghosts.values()
  }

  /** In no particular order. Counts as no use. */
  values(): IterableIterator<Item> {
    return this.#held.values()
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
    item.onDropped()
    if (fromSmall) this.#remember(hashOf(item.key))
  }

  /** An item leaves its queue for good. */
  #leave(item: Item): void {
    item.queue?.remove(item)
    item.onDropped()
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
