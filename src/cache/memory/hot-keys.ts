/** A key that is used much, and how often lately. */
export interface HotKey {
  readonly id: string
  readonly count: number
}

/**
 * The most used keys, within a fixed size: Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent
 * and Top-k Elements in Data Streams", ICDT 2005). A key with more than one use in `capacity` is among them.
 *
 * @example
 * const cache = new Cache({ ledger, settle, hotKeys: new HotKeys({ capacity: 1000 }) })
 */
export class HotKeys {
  readonly #capacity: number
  readonly #sampleEvery: number
  readonly #random: () => number
  readonly #counts = new Map<string, Count>()
  #passing = 0
  /** No count is below it. */
  #least = 0
  #cursor = this.#counts.values()

  /** @param options.sampleEvery about one use in so many is counted, because a hot key is used so often that it is seen all the same. Default 8. */
  constructor({ capacity = 256, sampleEvery = 8, random = Math.random }: HotKeysOptions = {}) {
    this.#capacity = capacity
    this.#sampleEvery = sampleEvery
    this.#random = random
  }

  /** Counts one use. */
  use(id: string): void {
    if (this.#passing-- > 0) return
    // Not exactly every eighth: of keys that are always read in the same order, the same ones would be counted each time.
    this.#passing = Math.floor(this.#random() * (2 * this.#sampleEvery - 1))
    const known = this.#counts.get(id)
    if (known) {
      known.count++
      return
    }
    const coldest = this.#counts.size < this.#capacity ? undefined : this.#coldest()
    if (coldest !== undefined) this.#counts.delete(coldest.id)
    // It may have been used as often as the key that it pushed out, uncounted.
    const missed = coldest?.count ?? 0
    this.#counts.set(id, { id, count: missed + 1, missed })
  }

  /** The keys surely used at least `least` times lately, the most used first. */
  hottest(least = 2): HotKey[] {
    return [...this.#counts.values()]
      .map(({ id, count, missed }) => ({ id, count: count - missed }))
      .filter(({ count }) => count >= least)
      .sort((a, b) => b.count - a.count)
  }

  /** Halves every count, so that a key that is no longer used is forgotten. */
  fade(): void {
    for (const counted of this.#counts.values()) {
      counted.count = Math.floor(counted.count / 2)
      counted.missed = Math.floor(counted.missed / 2)
      if (counted.count === 0) this.#counts.delete(counted.id)
    }
    this.#least = 0
  }

  /** Goes round, and looks at all counts only if none is as low as the lowest known: to look at all each time takes longer than all the rest. */
  #coldest(): Count | undefined {
    for (let left = this.#counts.size; left > 0; left--) {
      const counted = this.#next()
      if (counted && counted.count <= this.#least) return counted
    }
    let coldest: Count | undefined
    for (const counted of this.#counts.values()) if (!coldest || counted.count < coldest.count) coldest = counted
    this.#least = coldest?.count ?? 0
    return coldest
  }

  #next(): Count | undefined {
    const { done, value } = this.#cursor.next()
    if (!done) return value
    this.#cursor = this.#counts.values()
    return this.#cursor.next().value
  }
}

export interface HotKeysOptions {
  readonly capacity?: number
  readonly sampleEvery?: number
  /** A number in [0, 1). */
  readonly random?: () => number
}

interface Count {
  readonly id: string
  count: number
  /** How much of the count may be that of the keys it pushed out. */
  missed: number
}
