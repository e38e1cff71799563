import { systemClock } from '../kernel/clock.ts'
import type { PromiseOrValue } from '../kernel/promise-or-value.ts'
import { Keyring } from '../redis/index.ts'
import type { CacheOptions, CacheParts } from './cache-options.ts'
import type { Entry } from './entry.ts'
import { noticingClock } from './judgement.ts'
import { type KindDefinition, resolveKind } from './kind.ts'
import type { CacheTag } from './ledger/cache-tag.ts'
import { HotKeys } from './memory/hot-keys.ts'
import { MemoryTier } from './memory/memory-tier.ts'
import { startRefresher } from './memory/refresher.ts'
import type { Policy } from './policy.ts'
import type { Reader } from './reader.ts'
import { CachedKind, type Verdict } from './reading/cached-kind.ts'
import { decodeEntry } from './remote/envelope.ts'
import { HeldLeases } from './remote/held-leases.ts'
import { type OneSnapshot, Snapshots } from './snapshot.ts'

/**
 * Two tiers in front of a source, whose entries are judged by the ledger whenever they are read. The constructor throws a
 * `TypeError` if `memoryMaxBytes` is no whole number above 0.
 *
 * @example
 * const ledger = new Ledger()
 * const follower = new Follower({ log: new Log(pool), ledger })
 * await follower.start()
 * const cache = new Cache({ ledger, settle: () => follower.settle() })
 * const cities = cache.kind<number, City>({
 *   name: 'city',
 *   ttlMs: 60_000,
 *   key: String,
 *   tags: (id) => [rowTag('cities', id)],
 *   load: async (ids) => readCities(ids),
 * })
 * const city = await cities.get(1)
 */
export class Cache {
  readonly #parts: CacheParts
  readonly #snapshots: Snapshots
  readonly #leases: HeldLeases | undefined
  readonly #kinds = new Map<string, NamedKind>()
  readonly #defaults: Partial<Policy>

  constructor(options: CacheOptions) {
    const { memoryMaxBytes = 64 * 1024 * 1024, ledger, settle, openSnapshot, remote, secrets } = options
    const { namespace = 'stet:', random = Math.random, observer = {} } = options
    this.#defaults = options.defaults ?? {}
    if (!(Number.isSafeInteger(memoryMaxBytes) && memoryMaxBytes > 0)) {
      throw new TypeError(`memoryMaxBytes must be a whole number of bytes above 0, not ${memoryMaxBytes}.`)
    }
    const memory = new MemoryTier({ maxBytes: memoryMaxBytes })
    // How old its entries are can no longer be told. The remote tier's are bounded when they are read: see `Tiers.decode`.
    const clock = noticingClock(options.clock ?? systemClock, (byMs) => {
      memory.clear()
      observer.onClockSetBack?.(byMs)
    })
    const hotKeys = options.hotKeys ?? new HotKeys({ random })
    this.#leases = remote && new HeldLeases(remote)
    const keyring = secrets && new Keyring(secrets, 'cached value')
    const startEpoch = keyring && options.startEpoch
    const given = { ledger, settle, openSnapshot, startEpoch, namespace, clock, random, observer }
    this.#parts = { ...given, remote: this.#leases, keyring, memory, hotKeys, sharing: new Set() }
    this.#snapshots = new Snapshots(this.#parts)
  }

  /** Declares a kind of entry. Throws a `TypeError` if the definition makes no sense or the name is taken. */
  kind<K, V>(definition: KindDefinition<K, V>): CachedKind<K, V> {
    const kind = resolveKind(definition, this.#defaults)
    if (this.#kinds.has(kind.name)) throw new TypeError(`This cache already has a kind named "${kind.name}".`)
    const cached = new CachedKind(kind, this.#parts)
    this.#kinds.set(kind.name, cached)
    return cached
  }

  /**
   * `fn`, cached: a kind of its own, whose keys are the arguments. Rejects as `fn` does. HAZARD: `fn` must read the primary,
   * or nothing that is written: its result is taken to be as of the position that the ledger had reached when the call began.
   *
   * @example
   * const rate = cache.wrap(fetchRate, { name: 'rate', ttlMs: 60_000, key: (currency) => currency, tags: () => ['rates'] })
   * const euro = await rate('EUR')
   */
  wrap<A extends readonly unknown[], V>(
    fn: (...args: A) => Promise<V>,
    options: WrapOptions<A, V>,
  ): (...args: A) => Promise<V> {
    const { ledger } = this.#parts
    const kind = this.kind<A, { readonly result: V }>({
      ...options,
      madeOf: [fn, options.key, options.tags, ...(options.madeOf ?? [])],
      key: (args) => options.key(...args),
      tags: (args, value) => (value ? options.tags(value.result, ...args) : []),
      load: async (calls) => {
        const asOf = ledger.seen
        return {
          asOf,
          unsettled: true,
          values: await Promise.all(calls.map(async (args) => ({ result: await fn(...args) }))),
        }
      },
    })
    return async (...args) => {
      const value = await kind.get(args)
      if (!value) throw new Error(`"${kind.name}" was loaded without a result.`)
      return value.result
    }
  }

  /**
   * What `make` makes of one snapshot of the source: all that it reads is what the source held at one position of the log, at or
   * after the one that the ledger had reached at the call. `make` must read with the `Reader` that it is given. It is called
   * again, with another one, if what it read changed meanwhile; after the third time within `CacheOptions.openSnapshot`. Rejects
   * as `make` does. Functions that were wrapped belong to the snapshot only as far as their tags say what they depend on.
   *
   * @example
   * const { value: sum } = await cache.snapshot(async (reader) => {
   *   const [from, to] = await accounts.getMany([1, 2], reader)
   *   return (from?.amount ?? 0) + (to?.amount ?? 0)
   * })
   */
  snapshot<T>(make: (reader: Reader) => PromiseOrValue<T>, reader: Reader = {}): PromiseOrValue<OneSnapshot<T>> {
    return this.#snapshots.take(make, reader)
  }

  /** All kinds, in the order in which they were declared: for tools, which know kinds by name and keys as text. */
  get kinds(): readonly NamedKind[] {
    return [...this.#kinds.values()]
  }

  /** The kind of that name. Undefined if there is none. */
  find(name: string): NamedKind | undefined {
    return this.#kinds.get(name)
  }

  /** The entries that are used most in this process, the most used first. Leaves out those that others must not know of. */
  hottest(): readonly HotEntry[] {
    return this.#parts.hotKeys.hottest().flatMap(({ id, count }) => {
      const kind = this.#kindOf(id)
      return kind?.mayBeTold(id) ? [{ kind: kind.name, key: kind.textOf({ key: id }), count }] : []
    })
  }

  /** Loads the entries that are used most anew before they turn stale, four at a time, looking every second. Returns a function that stops it. */
  startRefresher({ everyMs = 1000, concurrency = 4 }: { everyMs?: number; concurrency?: number } = {}): () => void {
    const { hotKeys, clock } = this.#parts
    const refresh = async (id: string, withinMs: number) => this.#kindOf(id)?.refreshAhead(id, withinMs)
    return startRefresher({ hotKeys, clock, refresh, everyMs, concurrency })
  }

  /** Every entry in memory that stands and is within its time to live, for inspection. */
  *entries() {
    const { memory, ledger, clock } = this.#parts
    for (const entry of memory.entries()) if (clock.now() < entry.staleAtMs && ledger.stands(entry)) yield entry
  }

  /** Compares entries of one tier with the source. Returns a verdict on each, in their order. Changes nothing. Rejects if the source can't be read. */
  async verify(entries: readonly Entry[]): Promise<readonly Verdict[]> {
    const verdicts = new Map<Entry, Verdict>()
    for (const kind of this.#kinds.values()) {
      const owned = entries.filter((entry) => kind.owns(entry))
      if (owned.length === 0) continue
      const found = await kind.verify(owned)
      for (const [index, entry] of owned.entries()) verdicts.set(entry, found[index] ?? 'unknown')
    }
    return entries.map((entry) => verdicts.get(entry) ?? 'unknown')
  }

  /** Forgets everything in memory. The remote tier keeps what it has. */
  clearMemory(): void {
    this.#parts.memory.clear()
  }

  /**
   * Call this before the process ends, while the clients of the remote tier are still connected. Other processes wait for
   * loads that this one has a lease on: `close` waits at most `withinMs` for those loads, then gives back the leases of the
   * rest. Afterwards the cache still answers, from memory and the source. A second call waits for the first.
   *
   * @example
   * process.once('SIGTERM', async () => {
   *   await cache.close(5000)
   *   redis.disconnect()
   * })
   */
  async close(withinMs: number): Promise<void> {
    await this.#leases?.close(withinMs)
  }

  /** Resolves once the remote tier has every entry that was stored so far, or has failed to take it. Never rejects. */
  async flush(): Promise<void> {
    const { sharing, remote } = this.#parts
    await Promise.all(sharing)
    await remote?.flush()
  }

  /** The entry that the remote tier holds under a whole key. Undefined if `bytes` are none. Never throws. */
  decode(id: string, bytes: Buffer): Entry | undefined {
    return decodeEntry(id, bytes, this.#parts.keyring)
  }

  /** The position that the ledger has reached. */
  get position(): number {
    return this.#parts.ledger.seen
  }

  get memoryBytes(): number {
    return this.#parts.memory.bytes
  }

  #kindOf(id: string): NamedKind | undefined {
    return this.kinds.find((kind) => kind.owns({ key: id }))
  }
}

/**
 * An entry that is used much.
 * @example for (const { kind, key, count }: HotEntry of cache.hottest()) console.log(kind, key, count)
 */
export interface HotEntry {
  readonly kind: string
  /** The text that names it among its kind. */
  readonly key: string
  /** How often it was used lately: counts are halved every ten seconds. */
  readonly count: number
}

/**
 * A kind, whatever its keys and values are: for tools, which know kinds by name and keys as text.
 *
 * @example
 * const kind: NamedKind | undefined = cache.find('city')
 * const held = await kind?.look(kind.keyOf('1'))
 */
export type NamedKind = Pick<
  CachedKind<never, unknown>,
  | 'name'
  | 'prefix'
  | 'keyOf'
  | 'textOf'
  | 'owns'
  | 'explain'
  | 'explainJudged'
  | 'look'
  | 'whyNotStored'
  | 'verify'
  | 'refreshAhead'
  | 'mayBeTold'
  | 'getByText'
>

/**
 * The policy of a wrapped function, and how its arguments are named. See `Cache.wrap`.
 *
 * @example
 * const options: WrapOptions<[currency: string], number> = {
 *   name: 'rate',
 *   ttlMs: 60_000,
 *   key: (currency) => currency,
 *   tags: () => ['rates'],
 * }
 */
export interface WrapOptions<A extends readonly unknown[], V>
  extends Policy,
    Pick<KindDefinition<A, V>, 'name' | 'madeOf'> {
  /** Names the result. HAZARD: every argument that decides the result must be in it. */
  readonly key: (...args: A) => string
  /** What the result depends on. */
  readonly tags: (result: V, ...args: A) => readonly CacheTag[]
}
