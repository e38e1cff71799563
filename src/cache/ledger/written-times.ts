/**
 * When each of the last records was written, by position: tells one history of the log from another. Two histories that parted at
 * some position have other records after it, written at other microseconds.
 */
export class WrittenTimes {
  readonly #max: number
  /** Without a gap. */
  #times: number[] = []
  #first = 1

  /** @param max how many to remember: 8 bytes each, and up to twice as many for a while */
  constructor(max: number) {
    this.#max = max
  }

  /** @param position the one that follows the last, or any if there is none yet */
  add(position: number, writtenAtUs: number): void {
    if (this.#times.length === 0) this.#first = position
    this.#times.push(writtenAtUs)
    const tooMany = this.#times.length - this.#max
    if (tooMany < this.#max) return
    this.#times = this.#times.slice(tooMany)
    this.#first += tooMany
  }

  /** In microseconds since the Unix epoch. 0 for position 0, which stands before every record. Undefined if it is not remembered. */
  at(position: number): number | undefined {
    return position === 0 ? 0 : this.#times[position - this.#first]
  }
}
