import DataLoader from 'dataloader'
import type { CachedKind, Reader } from '../../cache/index.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'

/**
 * The entries of one kind as one request sees them. What memory has is at hand; the rest is loaded together, when
 * everything that can go on has gone on. What was given for a key is given again, whoever writes meanwhile: an answer
 * agrees with itself.
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

  /** Undefined where there is none. */
  load(key: K): PromiseOrValue<V | undefined> {
    const place = typeof key === 'object' ? this.#kind.placeOf(key, this.#reader) : undefined
    const name = place?.id ?? key
    const given = this.#given.get(name)
    if (given !== undefined) return given === NOTHING ? undefined : given
    const entry = this.#kind.atHand(key, this.#reader, place)
    return entry ? this.#give(name, entry.value) : this.#loadWithOthers(name, key)
  }

  #loadWithOthers(name: K | string, key: K): Promise<V | undefined> {
    this.#loader ??= new DataLoader((keys) => this.#kind.getMany(keys, this.#reader), { cache: false })
    const loading = this.#loader.load(key)
    this.#given.set(name, loading)
    loading.then(
      (value) => this.#give(name, value),
      // Whoever waits for it is told.
      () => {},
    )
    return loading
  }

  #give(name: K | string, value: V | undefined): V | undefined {
    this.#given.set(name, value === undefined ? NOTHING : value)
    return value
  }
}

/** In a Map, undefined would mean that nobody has asked. */
const NOTHING = Symbol('nothing')
