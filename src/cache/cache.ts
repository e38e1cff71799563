import { type Clock, systemClock } from '../kernel/clock.ts'
import type { CacheObserver, CacheParts } from './cache-parts.ts'
import type { CacheTag } from './cache-tag.ts'
import { CachedKind } from './cached-kind.ts'
import type { Entry } from './entry.ts'
import { type KindDefinition, resolveKind } from './kind.ts'
import type { Ledger } from './ledger.ts'
import { MemoryTier } from './memory-tier.ts'
import type { RemoteTier } from './remote-tier.ts'
import type { Verdict } from './verdict.ts'

export interface CacheOptions {
  /** Judges every entry. Somebody must keep it up to date: see `stet/invalidation`. */
  readonly ledger: Ledger
  /** Resolves once every write committed before the call has its position, and the ledger knows it. */
  readonly settle: () => Promise<void>
  /** Default: the memory tier alone. */
  readonly remote?: RemoteTier
  /** Size of the memory tier. Default 64 MiB. */
  readonly memoryMaxBytes?: number
  /** Begins every key: entries of one namespace are never read in another. Default `stet:`. */
  readonly namespace?: string
  /** How far lives are shortened at random, for kinds that don't say. Default 0.1: up to 10 %. */
  readonly jitter?: number
  readonly clock?: Clock
  /** A number in [0, 1), for jitter. */
  readonly random?: () => number
  readonly observer?: CacheObserver
}

/** Two tiers in front of a source, whose entries are judged by the ledger whenever they are read. */
export class Cache {
  readonly #parts: CacheParts
  readonly #kinds = new Map<string, NamedKind>()
  readonly #jitter: number

  constructor(options: CacheOptions) {
    const { memoryMaxBytes = 64 * 1024 * 1024, ledger, settle, remote } = options
    const { namespace = 'stet:', clock = systemClock, random = Math.random, observer = {} } = options
    this.#jitter = options.jitter ?? 0.1
    if (!(Number.isSafeInteger(memoryMaxBytes) && memoryMaxBytes > 0)) {
      throw new TypeError(`memoryMaxBytes must be a whole number of bytes above 0, not ${memoryMaxBytes}.`)
    }
    const memory = new MemoryTier({ maxBytes: memoryMaxBytes })
    this.#parts = { ledger, settle, remote, memory, namespace, clock, random, observer }
  }

  /** Declares a kind of entry. Throws where the definition makes no sense or the name is taken. */
  kind<K, V>(definition: KindDefinition<K, V>): CachedKind<K, V> {
    const kind = resolveKind({ jitter: this.#jitter, ...definition })
    if (this.#kinds.has(kind.name)) throw new TypeError(`This cache already has a kind named "${kind.name}".`)
    const cached = new CachedKind(kind, this.#parts)
    this.#kinds.set(kind.name, cached)
    return cached
  }

  /**
   * `fn`, cached. HAZARD: `fn` must read the primary, or nothing that is written: its result is taken to be as of the
   * position that the ledger had reached when the call began.
   */
  wrap<A extends readonly unknown[], V>(
    fn: (...args: A) => Promise<V>,
    options: WrapOptions<A, V>,
  ): (...args: A) => Promise<V> {
    const { ledger } = this.#parts
    const kind = this.kind<A, { readonly result: V }>({
      ...options,
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

  /** All kinds, in the order in which they were declared: for tools, which know kinds by name and keys as text. */
  get kinds(): readonly NamedKind[] {
    return [...this.#kinds.values()]
  }

  /** The kind of that name. */
  find(name: string): NamedKind | undefined {
    return this.#kinds.get(name)
  }

  /** Every entry in memory that stands and isn't stale, for inspection. */
  *entries() {
    const { memory, ledger, clock } = this.#parts
    for (const entry of memory.entries()) if (clock.now() < entry.staleAtMs && ledger.stands(entry)) yield entry
  }

  /** Compares entries of one tier with the source, and says of each, in their order, what became of it. Changes nothing. */
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

  /** The position that the ledger has reached. */
  get position(): number {
    return this.#parts.ledger.seen
  }

  get memoryBytes(): number {
    return this.#parts.memory.bytes
  }
}

/** A kind, whatever its keys and values are. */
export type NamedKind = Pick<CachedKind<never, unknown>, 'name' | 'prefix' | 'owns' | 'verify' | 'getByText'>

export interface WrapOptions<A extends readonly unknown[], V>
  extends Pick<KindDefinition<A, V>, 'name' | 'version' | 'ttlMs' | 'jitter'> {
  readonly key: (...args: A) => string
  readonly tags: (result: V, ...args: A) => readonly CacheTag[]
}
