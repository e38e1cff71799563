import { FifoQueue, QueueItem } from './fifo-queue.ts'

/**
 * A map bounded in bytes. What arrives first waits in a small queue, a tenth of all. What was used twice there moves on
 * to the main queue, where each use buys one more round; the rest goes, and only a hash of its key is remembered: if it
 * is asked for again soon, it comes into the main queue at once. So a scan passes through the small queue and displaces
 * nothing that is in use. `npm run bench -- eviction` compares it with others.
 *
 * Yang, Zhang, Qiu, Yue, Rashmi: "FIFO Queues are All You Need for Cache Eviction" (S3-FIFO), SOSP 2023.
 */
export class S3Fifo<V> {
  readonly #maxBytes: number
  readonly #held = new Map<string, QueueItem<V>>()
  readonly #small = new FifoQueue<V>()
  readonly #main = new FifoQueue<V>()
  /** Hashes of keys that left the small queue, oldest first. At most one for each that is held when the last one left. */
  readonly #ghosts = new Set<number>()
  /** Stands before the oldest ghost. It must stay: one begun anew steps over every hole that those before it left. */
  #oldestGhosts = this.#ghosts.values()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Counts as a use. */
  get(key: string): V | undefined {
    const item = this.#held.get(key)
    return item && use(item)
  }

  /** What is held under `key`, for `use`: whoever keeps that need not look the key up again. What is set anew under the key stands there too. It may outlive what it holds, which is gone from it then. */
  find(key: string): Slot<V> | undefined {
    return this.#held.get(key)
  }

  /** Counts as none. */
  peek(key: string): V | undefined {
    return this.#held.get(key)?.value
  }

  /** What is larger than all of it is not kept, nor is what it would have replaced. */
  set(key: string, value: V, bytes: number): void {
    if (bytes > this.#maxBytes) {
      this.delete(key)
      return
    }
    const held = this.#held.get(key)
    const before = held?.queue
    if (held) before?.remove(held)
    while (this.bytes + bytes > this.#maxBytes) this.#evict()
    // In the same place: whoever knows that finds the new value there, and what a map deletes leaves holes that it clears up in long pauses.
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

  /** In no particular order. Nothing is counted as used. */
  *values(): IterableIterator<V> {
    for (const { value } of this.#held.values()) if (value !== undefined) yield value
  }

  get bytes(): number {
    return this.#small.bytes + this.#main.bytes
  }

  get size(): number {
    return this.#held.size
  }

  /** Throws out the oldest of a queue, or gives it another round. */
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

/** A place in an `S3Fifo`. */
export type Slot<V> = Pick<QueueItem<V>, 'key' | 'value' | 'uses'>

/** Its value, as `get` gives it: counted. Undefined where that is held no more. */
export function use<V>(held: Slot<V>): V | undefined {
  if (held.uses < MAX_USES) held.uses++
  return held.value
}

const SMALL_SHARE = 0.1
const MAX_USES = 3

/** FNV-1a, in 30 bits, which V8 stores in place. Two keys may share one: then a newcomer is taken for a returner, no more. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return hash >>> 2
}
