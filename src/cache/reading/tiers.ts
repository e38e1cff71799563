import type { CacheParts } from '../cache-options.ts'
import type { Entry } from '../entry.ts'
import type { ResolvedKind } from '../kind.ts'
import { entryBytes } from '../memory/memory-tier.ts'
import { graceMs } from '../policy.ts'
import { decodeEntry, encodeEntry, MAX_TAGS } from '../remote/envelope.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'

/** The tiers that keep the entries of one kind: both, or one. */
export class Tiers<K, V> {
  readonly #kind: Pick<ResolvedKind<K, V>, 'name' | 'policy' | 'newestIn' | 'privacy'>
  readonly #parts: CacheParts
  readonly #keptInMemory: boolean
  readonly remote: RemoteTier | undefined

  constructor(kind: Pick<ResolvedKind<K, V>, 'name' | 'policy' | 'newestIn' | 'privacy'>, parts: CacheParts) {
    this.#kind = kind
    this.#parts = parts
    this.#keptInMemory = kind.policy.tiers !== 'redis'
    const staysHere = kind.policy.tiers === 'memory' || kind.privacy === 'memory'
    this.remote = staysHere || (kind.privacy === 'sealed' && !parts.keyring) ? undefined : parts.remote
  }

  inMemory(id: string): Entry<V> | undefined {
    // Only this kind writes under its prefix.
    return this.#keptInMemory ? (this.#parts.memory.get(id) as Entry<V> | undefined) : undefined
  }

  /** Keeps an entry of the remote tier in memory, unless a newer one is there. */
  rememberIfNewer(entry: Entry<V>): void {
    const known = this.inMemory(entry.key)
    // Not by when they turn stale: the life of the newer one may be the shorter.
    if (!known || known.storedAtMs < entry.storedAtMs || !this.#parts.ledger.stands(known)) this.#remember(entry)
  }

  /** Stores in every tier of the kind where it may lie, unless there is a reason not to: see `whyNotStored`. */
  store(key: K, entry: Entry<V>): void {
    const { name, policy, privacy: ofKind } = this.#kind
    const whyNot = this.whyNotStored(entry)
    if (whyNot === 'too-large') this.#parts.observer.onOversized?.(name)
    if (whyNot) return
    const { keyring } = this.#parts
    const privacy = typeof ofKind === 'function' ? ofKind(entry.value, key) : ofKind
    const mayLeave = privacy === 'public' || (privacy === 'sealed' && keyring !== undefined)
    if (this.remote && mayLeave && entry.tags.length <= MAX_TAGS) {
      const lifeMs = entry.staleAtMs - this.#parts.clock.now() + graceMs(policy)
      const bytes = encodeEntry(entry, {
        compressAboveBytes: policy.compressAboveBytes,
        keyring,
        isPrivate: privacy === 'sealed',
      })
      this.remote.write(entry.key, bytes, lifeMs)
    }
    this.#remember(entry)
  }

  /**
   * The entry that the remote tier holds under `id`. Undefined if `bytes` are none, or if they say that it was stored more
   * than a day from now. By this process's clock, it lives no longer than the policy of its kind says, nor than its own life.
   */
  decode(id: string, bytes: Buffer): Entry<V> | undefined {
    const entry = decodeEntry<V>(id, bytes, this.#parts.keyring)
    const nowMs = this.#parts.clock.now()
    if (!entry || entry.storedAtMs > nowMs + DAY_MS) return undefined
    const storedAtMs = Math.min(entry.storedAtMs, nowMs)
    const staleAtMs = storedAtMs + Math.min(entry.staleAtMs - entry.storedAtMs, this.#kind.policy.ttlMs)
    const isInOrder = storedAtMs === entry.storedAtMs && staleAtMs === entry.staleAtMs
    return isInOrder ? entry : { ...entry, storedAtMs, staleAtMs }
  }

  /** HAZARD: an entry of the remote tier that is as of a position which the log has not reached would stand whatever is written. */
  isAhead({ epoch, asOf, value }: Entry<V>): boolean {
    const newest = value === undefined ? 0 : this.#kind.newestIn(value)
    return this.#parts.ledger.isBehind({ epoch, asOf: Math.max(asOf, newest) })
  }

  /** Undefined if the entry may be stored. HAZARD: an entry that a write overtook while it was read may be answered once, and is NEVER stored. */
  whyNotStored(entry: Entry<V>): WhyNotStored | undefined {
    const { ledger } = this.#parts
    const { maxBytes } = this.#kind.policy
    if (entry.staleAtMs <= entry.storedAtMs) return 'no-life'
    if (!ledger.stands(entry) || ledger.softenedAt(entry) > 0) return 'overtaken'
    return Number.isFinite(maxBytes) && entryBytes(entry) > maxBytes ? 'too-large' : undefined
  }

  #remember(entry: Entry<V>): void {
    if (this.#keptInMemory) this.#parts.memory.set(entry)
  }

  /** What each tier holds under a key. Counts as no use. Never rejects. */
  async look(id: string): Promise<Holdings<V>> {
    const memory = this.#keptInMemory ? (this.#parts.memory.peek(id) as Entry<V> | undefined) : undefined
    if (!this.remote) return { memory, redis: undefined }
    try {
      const [found] = await this.remote.read([{ key: id }])
      const bytes = found?.bytes
      return { memory, redis: bytes && (this.decode(id, bytes) ?? 'unreadable') }
    } catch {
      return { memory, redis: 'unreachable' }
    }
  }
}

/** Clocks may differ by so much. */
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Why an entry that was made is not stored:
 *
 *   no-life    its load gave it no time to live: it is for the readers that wait for it
 *   overtaken  something that it depends on was written while it was made
 *   too-large  it is larger than its policy's `maxBytes`
 * @example const whyNot: WhyNotStored | undefined = cities.whyNotStored(entry)
 */
export type WhyNotStored = 'no-life' | 'overtaken' | 'too-large'

/**
 * What the tiers hold under one key. Undefined: nothing.
 * @example const { memory, redis }: Holdings<City> = await cities.look(cities.keyOf('1'))
 */
export interface Holdings<V> {
  readonly memory: Entry<V> | undefined
  readonly redis: Entry<V> | 'unreadable' | 'unreachable' | undefined
}
