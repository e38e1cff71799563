import DataLoader from 'dataloader'
import type { CachedKind, Reader } from '../../cache/index.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { Context } from './context.ts'

/**
 * Makes a value once for each Reader of a request: again after a write, and when the answer is made again. For loaders, which
 * keep what they loaded: `make` is given what makes one of a kind.
 * The request itself holds the values: in a WeakMap they would stay in memory until V8's next full garbage collection.
 */
export function perRequest<T>(make: (load: MakeLoader, context: Context) => T): (context: Context) => T {
  return (context) => {
    const { reader } = context.progress
    const existing = context.made.get(make)
    if (existing && existing.reader === reader) return existing.value as T
    const load: MakeLoader = (kind, its = reader) => new EntryLoader(kind, its, context.goOn)
    const value = make(load, context)
    context.made.set(make, { reader, value })
    return value
  }
}

/** Makes a loader of a kind. @param reader Default: the request's */
type MakeLoader = <K, V>(kind: CachedKind<K, V>, reader?: Reader) => EntryLoader<K, V>

/**
 * Loads entries of one kind for one request. Returns an entry that memory holds at once; loads the others together in one
 * batch, and each once, as DataLoader does. HAZARD: a key that is written or refreshed meanwhile may have another value when it is
 * loaded again. Load within a snapshot, which is made again then: see `Cache.snapshot`.
 */
export class EntryLoader<K, V> {
  readonly #kind: CachedKind<K, V>
  readonly #reader: Reader
  readonly #goOn: Context['goOn']
  #others: DataLoader<K, V | undefined, unknown> | undefined

  constructor(kind: CachedKind<K, V>, reader: Reader, goOn?: Context['goOn']) {
    this.#kind = kind
    this.#reader = reader
    this.#goOn = goOn
  }

  /** The value of `key`: at once if memory holds it, otherwise a promise. Undefined if there is none. */
  load(key: K): PromiseOrValue<V | undefined> {
    const entry = this.#kind.getIfPresent(key, this.#reader)
    if (entry) return entry.value
    this.#others ??= new DataLoader((keys) => this.#loadBatch(keys), {
      cacheKeyFn: (key) => this.#kind.idOf(key, this.#reader),
    })
    return this.#others.load(key)
  }

  async #loadBatch(keys: readonly K[]): Promise<(V | undefined | Error)[]> {
    // Given to DataLoader as a value, an error is kept too: a key that failed fails again.
    const values = await this.#kind.getMany(keys, this.#reader).catch((error: Error) => keys.map(() => error))
    // What is read in a transaction holds a connection meanwhile.
    if (!this.#reader.source) await this.#goOn?.()
    return values
  }
}
