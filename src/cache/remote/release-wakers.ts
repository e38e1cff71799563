/** Who is to be woken when a lease on a key is given back. */
export class ReleaseWakers {
  readonly #wakers = new Map<string, Set<() => void>>()

  /** Returns what removes it. */
  add(key: string, wake: () => void): () => void {
    const wakers = this.#wakers.get(key) ?? new Set()
    this.#wakers.set(key, wakers)
    const remove = () => {
      const removed = wakers.delete(waker)
      if (wakers.size === 0 && this.#wakers.get(key) === wakers) this.#wakers.delete(key)
      return removed
    }
    const waker = () => {
      if (remove()) wake()
    }
    wakers.add(waker)
    return remove
  }

  wake(key: string): void {
    // A copy: who waits again from within waits for the next.
    for (const waker of [...(this.#wakers.get(key) ?? [])]) waker()
  }

  /** How many keys somebody waits for. */
  get size(): number {
    return this.#wakers.size
  }
}
