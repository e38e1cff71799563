import { TransientMap } from '../../kernel/transient-map.ts'

/** Callbacks to call when the lease on a key is given back, each once. */
export class ReleaseWakers {
  readonly #wakers = new TransientMap<string, Set<() => void>>()

  /** Returns a function that removes it. */
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
    // A copy: a callback that is added meanwhile waits for the next release.
    for (const waker of [...(this.#wakers.get(key) ?? [])]) waker()
  }

  /** How many keys have callbacks. */
  get size(): number {
    return this.#wakers.size
  }
}
