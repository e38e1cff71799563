import DataLoader from 'dataloader'
import type { CachedKind, Reader } from '../../cache/index.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'

/**
 * Loads entries of one kind for one request. Returns an entry that memory holds at once; loads the others together in one
 * batch, and each once, as DataLoader does. HAZARD: a key that is written meanwhile may have another value when it is loaded
 * again. Load within a snapshot, which is made again then: see `Cache.snapshot`.
 */
export class EntryLoader<K, V> {
  readonly #kind: CachedKind<K, V>
  readonly #reader: Reader
  #others: DataLoader<K, V | undefined, unknown> | undefined

  constructor(kind: CachedKind<K, V>, reader: Reader) {
    this.#kind = kind
    this.#reader = reader
  }

  /** The value of `key`: at once if memory holds it, otherwise a promise. Undefined if there is none. */
  load(key: K): PromiseOrValue<V | undefined> {
    const entry = this.#kind.getIfPresent(key, this.#reader)
    if (entry) return entry.value
    this.#others ??= this.#loadOthers()
    return this.#others.load(key)
  }

  #loadOthers(): DataLoader<K, V | undefined, unknown> {
    // Given to DataLoader as a value, an error is kept too: a key that failed fails again.
    const failed = (keys: readonly K[]) => (error: Error) => keys.map(() => error)
    return new DataLoader((keys) => this.#kind.getMany(keys, this.#reader).catch(failed(keys)), {
      cacheKeyFn: (key) => this.#kind.idOf(key, this.#reader),
    })
  }
}
