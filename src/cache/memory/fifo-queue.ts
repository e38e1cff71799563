/** First in, first out; but an item may leave from anywhere. It knows the bytes of its items. An item is in one queue at a time. */
export class FifoQueue<Item extends QueueItem<Item>> {
  #oldest: Item | undefined
  #newest: Item | undefined
  #bytes = 0

  get oldest(): Item | undefined {
    return this.#oldest
  }

  /** Sum of its items' bytes. */
  get bytes(): number {
    return this.#bytes
  }

  push(item: Item): void {
    item.queue = this
    item.older = this.#newest
    item.newer = undefined
    if (this.#newest) this.#newest.newer = item
    else this.#oldest = item
    this.#newest = item
    this.#bytes += item.bytes
  }

  /** HAZARD: `item` must be in this queue. */
  remove(item: Item): void {
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
}

/** What stands in a queue: the item itself holds its place, so that whoever finds it need not look elsewhere. */
export interface QueueItem<Item extends QueueItem<Item>> {
  readonly key: string
  /** HAZARD: not to be changed while the item is in a queue. */
  readonly bytes: number
  /** How often it was used, as far as its owner counts. */
  uses: number
  /** Undefined: it is in none. */
  queue: FifoQueue<Item> | undefined
  newer: Item | undefined
  older: Item | undefined
  /** Called by its owner when it drops the item. */
  onDropped(): void
}
