/** Random numbers that the same seed repeats exactly. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number in [0, 1). The algorithm is Tommy Ettinger's mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }
}

/** Picks whole numbers in [0, size) by Zipf's law: 1 half as often as 0, 2 a third as often, and so on. */
export class Zipf {
  readonly #upTo: number[] = []

  constructor(size: number) {
    let total = 0
    for (let rank = 1; rank <= size; rank++) {
      total += 1 / rank
      this.#upTo.push(total)
    }
  }

  pick(random: Random): number {
    const at = random.next() * (this.#upTo.at(-1) ?? 0)
    let low = 0
    let high = this.#upTo.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#upTo[middle] ?? 0) <= at) low = middle + 1
      else high = middle
    }
    return low
  }
}
