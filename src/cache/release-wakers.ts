/** Who is to be woken when a lease on a key is given back. */
export class ReleaseWakers {
  readonly #wakers = new Map<string, Set<() => void>>()
  readonly #earshots = new Set<Earshot>()

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
    for (const { heard } of this.#earshots) if (heard.has(key)) setImmediate(waker)
    return remove
  }

  wake(key: string): void {
    for (const { keys, heard } of this.#earshots) if (keys.has(key)) heard.add(key)
    // A copy: who waits again from within waits for the next.
    for (const waker of [...(this.#wakers.get(key) ?? [])]) waker()
  }

  /**
   * Remembers from now on which of `keys` were given back, for who will wait for them. The message comes on another
   * connection than the answer that says for whom to wait, and may overtake it. Returns what ends that.
   */
  listenAhead(keys: readonly string[]): () => void {
    const earshot = { keys: new Set(keys), heard: new Set<string>() }
    this.#earshots.add(earshot)
    return () => this.#earshots.delete(earshot)
  }

  /** How many keys somebody waits for. */
  get size(): number {
    return this.#wakers.size
  }
}

interface Earshot {
  readonly keys: ReadonlySet<string>
  readonly heard: Set<string>
}
