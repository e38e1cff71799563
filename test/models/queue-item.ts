import type { FifoQueue, QueueItem } from '../../src/cache/memory/fifo-queue.ts'
import { S3Fifo } from '../../src/cache/memory/s3-fifo.ts'

/** An item that holds a value of any kind. */
export class ItemOf<V> implements QueueItem<ItemOf<V>> {
  readonly key: string
  readonly value: V
  readonly bytes: number
  uses = 0
  queue: FifoQueue<ItemOf<V>> | undefined
  newer: ItemOf<V> | undefined
  older: ItemOf<V> | undefined

  isDropped = false

  constructor(key: string, value: V, bytes: number) {
    this.key = key
    this.value = value
    this.bytes = bytes
  }

  onDropped(): void {
    this.isDropped = true
  }
}

/** A map of values of any kind that drops them as the memory tier drops its entries. */
export class EvictingMap<V> {
  readonly items: S3Fifo<ItemOf<V>>

  constructor(maxBytes: number) {
    this.items = new S3Fifo(maxBytes)
  }

  get(key: string): V | undefined {
    return this.items.get(key)?.value
  }

  set(key: string, value: V, bytes: number): void {
    this.items.set(new ItemOf(key, value, bytes))
  }

  delete(key: string): void {
    this.items.delete(key)
  }

  clear(): void {
    this.items.clear()
  }

  values(): V[] {
    return [...this.items.values()].map(({ value }) => value)
  }

  get bytes(): number {
    return this.items.bytes
  }

  get size(): number {
    return this.items.size
  }
}
