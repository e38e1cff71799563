import DataLoader from 'dataloader'
import type { CachedKind, Reader } from '../../cache/index.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'

/**
 * Loads entries of one kind for one request. Returns an entry that memory holds at once; loads the others together in one
 * batch, as DataLoader does. Returns the same value for a key every time, even if another request writes meanwhile, so
 * that an answer does not contradict itself.
 */
export class EntryLoader<K, V> {
  readonly #kind: CachedKind<K, V>
  readonly #reader: Reader
  readonly #given = new Map<K | string, PromiseOrValue<V | undefined> | typeof NOTHING>()
  #loader: DataLoader<K, V | undefined> | undefined

  constructor(kind: CachedKind<K, V>, reader: Reader) {
    this.#kind = kind
    this.#reader = reader
  }

  /** The value of `key`: at once if memory holds it, otherwise a promise. Undefined if there is none. */
  load(key: K): PromiseOrValue<V | undefined> {
    const name = typeof key === 'object' ? this.#kind.nameOf(key) : key
    const given = this.#given.get(name)
    if (given !== undefined) return given === NOTHING ? undefined : given
    const entry = this.#kind.getIfPresent(key, this.#reader)
    return entry ? this.#give(name, entry.value) : this.#loadWithOthers(name, key)
  }

  #loadWithOthers(name: K | string, key: K): Promise<V | undefined> {
    this.#loader ??= new DataLoader((keys) => this.#kind.getMany(keys, this.#reader), { cache: false })
    const loading = this.#loader.load(key)
    this.#given.set(name, loading)
    loading.then(
      (value) => this.#give(name, value),
      // Not unhandled: the caller gets the same promise.
      () => {},
    )
    return loading
  }

  #give(name: K | string, value: V | undefined): V | undefined {
    this.#given.set(name, value === undefined ? NOTHING : value)
    return value
  }
}

/** Stands in the Map for a value that is known not to exist, because undefined means that the key was not loaded yet. */
const NOTHING = Symbol('nothing')
