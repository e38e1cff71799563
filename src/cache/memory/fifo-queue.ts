/** First in, first out; but an item may leave from anywhere. It knows the bytes of its items. An item is in one queue at a time. */
export class FifoQueue<V> {
  #oldest: QueueItem<V> | undefined
  #newest: QueueItem<V> | undefined
  #bytes = 0

  get oldest(): QueueItem<V> | undefined {
    return this.#oldest
  }

  /** Sum of its items' bytes. */
  get bytes(): number {
    return this.#bytes
  }

  push(item: QueueItem<V>): void {
    item.queue = this
    item.older = this.#newest
    item.newer = undefined
    if (this.#newest) this.#newest.newer = item
    else this.#oldest = item
    this.#newest = item
    this.#bytes += item.bytes
  }

  /** HAZARD: `item` must be in this queue. */
  remove(item: QueueItem<V>): void {
    if (item.older) item.older.newer = item.newer
    else this.#oldest = item.newer
    if (item.newer) item.newer.older = item.older
    else this.#newest = item.older
    this.#bytes -= item.bytes
    // A caller that still holds the item must not keep its neighbours alive, and theirs.
    item.queue = undefined
    item.older = undefined
    item.newer = undefined
  }

  clear(): void {
    this.#oldest = undefined
    this.#newest = undefined
    this.#bytes = 0
  }
}

export class QueueItem<V> {
  readonly key: string
  /** Undefined once its owner has dropped it. */
  value: V | undefined
  /** HAZARD: not to be changed while the item is in a queue. */
  bytes: number
  /** How often it was used, as far as its owner counts. */
  uses = 0
  queue: FifoQueue<V> | undefined
  newer: QueueItem<V> | undefined
  older: QueueItem<V> | undefined

  constructor(key: string, value: V, bytes: number) {
    this.key = key
    this.value = value
    this.bytes = bytes
  }
}
