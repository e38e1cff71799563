import { isDeepStrictEqual } from 'node:util'
import type { CacheParts, LookUpResult } from '../cache-options.ts'
import type { Entry } from '../entry.ts'
import { judge, rest } from '../judgement.ts'
import type { ResolvedKind } from '../kind.ts'
import { entryBytes } from '../memory/memory-tier.ts'
import { graceMs } from '../policy.ts'
import { decodeEntry, encodeEntry, MAX_TAGS } from '../remote/envelope.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'

/** The tiers that keep the entries of one kind: both, or one. */
export class Tiers<K, V> {
  readonly #kind: Pick<ResolvedKind<K, V>, 'name' | 'policy' | 'privacy'>
  readonly #parts: CacheParts
  readonly #keptInMemory: boolean
  readonly remote: RemoteTier | undefined

  constructor(kind: Pick<ResolvedKind<K, V>, 'name' | 'policy' | 'privacy'>, parts: CacheParts) {
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

  /** Keeps an entry from being refreshed for a while. It may come from the remote tier: memory then holds it as another object. */
  rest(entry: Entry<V>): void {
    const { memory, clock } = this.#parts
    const held = memory.peek(entry.key)
    for (const it of [entry, ...(held?.storedAtMs === entry.storedAtMs ? [held] : [])]) rest(it, clock.now())
  }

  /** Whether memory holds what a reader that looks past it has just read: to store that anew would change nothing but its life. */
  holdsEqual({ key, value, tags }: Entry<V>): boolean {
    const { memory, clock, ledger } = this.#parts
    const held = this.#keptInMemory ? (memory.peek(key) as Entry<V> | undefined) : undefined
    if (!held || judge(held, clock.now(), { ledger, grace: this.#kind.policy.grace }).is !== 'fresh') return false
    return isDeepStrictEqual(held.value, value) && isDeepStrictEqual(held.tags, tags)
  }

  /** Stores in every tier of the kind where it may lie, unless there is a reason not to: see `whyNotStored`. */
  store(key: K, entry: Entry<V>): void {
    const { name, privacy: ofKind } = this.#kind
    const whyNot = this.whyNotStored(entry)
    if (whyNot === 'too-large') this.#parts.observer.onOversized?.(name)
    if (whyNot) return
    const { keyring } = this.#parts
    const privacy = typeof ofKind === 'function' ? ofKind(entry.value, key) : ofKind
    const mayLeave = privacy === 'public' || (privacy === 'sealed' && keyring !== undefined)
    if (mayLeave && entry.tags.length <= MAX_TAGS) this.#share(entry, privacy === 'sealed')
    this.#remember(entry)
  }

  /** Stores in the remote tier, with what tells other processes which history the entry was read in. */
  #share(entry: Entry<V>, isPrivate: boolean): void {
    const { remote } = this
    if (!remote) return
    if (this.#writtenAtUs(entry) !== undefined) this.#send(remote, entry, isPrivate)
    else if (this.#parts.ledger.isBehind(this.#placeOf(entry))) {
      const { sharing } = this.#parts
      const shared = this.#shareLater(remote, entry, isPrivate).then(() => void sharing.delete(shared))
      sharing.add(shared)
    }
  }

  /** It was read as of a position that this process has not heard of yet. */
  async #shareLater(remote: RemoteTier, entry: Entry<V>, isPrivate: boolean): Promise<void> {
    // If the log can't be read, its beat reports that.
    await this.#parts.settle().catch(() => {})
    if (!this.whyNotStored(entry) && this.#writtenAtUs(entry) !== undefined) this.#send(remote, entry, isPrivate)
  }

  #send(remote: RemoteTier, entry: Entry<V>, isPrivate: boolean): void {
    const { clock, keyring } = this.#parts
    const { policy } = this.#kind
    const lifeMs = entry.staleAtMs - clock.now() + graceMs(policy)
    const { compressAboveBytes } = policy
    const lastRecord = { position: this.#placeOf(entry).asOf, writtenAtUs: this.#writtenAtUs(entry) ?? 0 }
    remote.write(entry.key, encodeEntry(entry, { lastRecord, compressAboveBytes, keyring, isPrivate }), lifeMs)
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

  /**
   * Why an entry of the remote tier is none, as far as this process knows the log: it is as of a position which the log has not
   * reached (`future`), of a past which it does not hold (`lost`), or which this process has forgotten (`miss`). HAZARD: the
   * first two would stand whatever is written. Undefined if it is an entry.
   */
  whyStrange(entry: Entry<V>): WhyStrange | undefined {
    const { ledger } = this.#parts
    const place = this.#placeOf(entry)
    // What is of another epoch, or from before the ledger's floor, does not stand.
    if (place.epoch !== ledger.epoch || place.asOf < ledger.floor) return undefined
    const writtenAtUs = this.#writtenAtUs(entry)
    if (writtenAtUs === undefined) return ledger.isBehind(place) ? 'future' : 'miss'
    return !entry.lastRecord || entry.lastRecord.writtenAtUs === writtenAtUs ? undefined : 'lost'
  }

  /** Whether `recognize` may know better. */
  isStrange(entry: Entry<V>): boolean {
    const why = this.whyStrange(entry)
    return why === 'future' || why === 'lost'
  }

  /**
   * Another process may know more of the log than this one, so this one settles. Entries that are strange even then, and signed,
   * prove that the log has lost a part of its past. Resolves with why each is strange, undefined if it is not. Never rejects.
   */
  async recognize(entries: readonly Entry<V>[]): Promise<readonly (WhyStrange | undefined)[]> {
    const { settle, ledger, startEpoch } = this.#parts
    // If the log can't be read, its beat reports that.
    const isSettled = await settle().then(
      () => true,
      () => false,
    )
    const why = entries.map((entry) => this.whyStrange(entry))
    const proof = isSettled ? entries.find((entry) => this.isStrange(entry)) : undefined
    if (proof) await startEpoch?.(ledger.epoch, `${proof.key} is as of ${proof.asOf}`).catch(() => {})
    return why
  }

  /** When the last record was written that the entry shows, as far as this process knows. */
  #writtenAtUs(entry: Entry<V>): number | undefined {
    return this.#parts.ledger.writtenAtUs(this.#placeOf(entry).asOf)
  }

  /** The last position that the entry shows. HAZARD: `asOf` may have been raised since it was read from the remote tier. */
  #placeOf({ epoch, asOf, lastRecord }: Entry<V>): Pick<Entry, 'epoch' | 'asOf'> {
    return { epoch, asOf: lastRecord?.position ?? asOf }
  }

  /** Whether an entry is strange, though this process has settled. */
  async #isNone(entry: Entry<V>): Promise<boolean> {
    if (!this.isStrange(entry)) return false
    await this.#parts.settle()
    return this.isStrange(entry)
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
      const redis = bytes && this.decode(id, bytes)
      return { memory, redis: bytes && (!redis || (await this.#isNone(redis)) ? 'unreadable' : redis) }
    } catch {
      return { memory, redis: 'unreachable' }
    }
  }
}

export type WhyStrange = Extract<LookUpResult, 'future' | 'lost' | 'miss'>

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
