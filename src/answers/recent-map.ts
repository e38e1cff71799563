/**
 * A map of what was used lately: of the last `max / 2` keys surely, of the last `max` perhaps. In two generations: when the
 * younger is full, the older goes as a whole. A look-up moves nothing, so that it takes half as long as in a map that
 * knows which of its keys was used when.
 */
export class RecentMap<K, V> {
  readonly #keysInGeneration: number
  #young = new Map<K, V>()
  #old: ReadonlyMap<K, V> = new Map()

  constructor(max: number) {
    this.#keysInGeneration = Math.max(1, Math.floor(max / 2))
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: K, value: V): void {
    this.#young.set(key, value)
    if (this.#young.size < this.#keysInGeneration) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
