/**
 * A Map for what comes and goes, as requests under way do. Use it where values are large, or lead to much, and are soon deleted.
 *
 * A Map that has no room left moves into a new table, and V8 lets the old one point to the new. Once an old table has grown old in the
 * garbage collector's sense, it keeps the tables after it from being collected as young, and all that they held: a
 * server then copies what its requests left at every collection, and half of its time goes into that. Here a value that is deleted
 * leaves its cell empty, so old tables lead to nothing.
 *
 * @example const underWay = new TransientMap<string, Promise<Row>>()
 */
export class TransientMap<K, V> implements Iterable<[K, V]> {
  readonly #cells = new Map<K, { value: V | undefined }>()

  get size(): number {
    return this.#cells.size
  }

  has(key: K): boolean {
    return this.#cells.has(key)
  }

  get(key: K): V | undefined {
    return this.#cells.get(key)?.value
  }

  /** A key that is there already keeps its place in the order. */
  set(key: K, value: V): this {
    const cell = this.#cells.get(key)
    if (cell) cell.value = value
    else this.#cells.set(key, { value })
    return this
  }

  /** Returns whether it was there. */
  delete(key: K): boolean {
    const cell = this.#cells.get(key)
    if (!cell) return false
    cell.value = undefined
    return this.#cells.delete(key)
  }

  /** In the order in which keys were set first. What is deleted meanwhile is left out. */
  *[Symbol.iterator](): Generator<[K, V]> {
    for (const [key, { value }] of this.#cells) yield [key, value as V]
  }
}
