import { isDeepStrictEqual } from 'node:util'
import type { CacheParts } from '../cache-options.ts'
import type { Entry } from '../entry.ts'
import { type EntryExplanation, explainEntry } from '../explain-entry.ts'
import { type EarlyRefresh, isDueEarly, isResting, type Judgement, judge, type Rules, whyStale } from '../judgement.ts'
import type { ResolvedKind } from '../kind.ts'
import { withTables } from '../ledger/cache-tag.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import { EntryNames, HeldEntries, type HeldEntry, use } from '../memory/held-entries.ts'
import type { Reader } from '../reader.ts'
import { AwaitedReads } from './awaited-reads.ts'
import type { Obtained } from './flight.ts'
import { Flights } from './flights.ts'
import { type LoadRequest, lifeMs } from './load-queue.ts'
import { type Holdings, Tiers, type WhyNotStored } from './tiers.ts'

/**
 * The entries of one kind: memory, then the remote tier, then the source. `Cache.kind` makes one.
 *
 * Promise: a value reflects every write that this process's ledger knew of when it was asked for. Also a stale one: it is
 * past its time to live, not past a write.
 *
 * @example
 * const articles = cache.kind<number, Article>({ name: 'article', ttlMs: 60_000, key: String, tags, load })
 * const article = await articles.get(42)
 * const [first, second] = await articles.getMany([1, 2], { position: 17 })
 * const atOnce = articles.getIfPresent(42)?.value
 */
export class CachedKind<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  readonly #names: EntryNames<K>
  readonly #rules: Rules
  readonly #early: EarlyRefresh
  readonly #held: HeldEntries<K, V>
  readonly #tiers: Tiers<K, V>
  readonly #flights: Flights<K, V>
  readonly #awaited: AwaitedReads<K, V>

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts) {
    this.#kind = kind
    this.#parts = parts
    this.#names = new EntryNames(kind, parts.namespace)
    this.#rules = { ledger: parts.ledger, grace: kind.policy.grace }
    this.#early = { earlyRefresh: kind.policy.earlyRefresh, random: parts.random }
    this.#held = new HeldEntries(kind, parts.memory, this.#names)
    this.#tiers = new Tiers(kind, parts)
    this.#flights = new Flights(kind, parts, this.#tiers)
    this.#awaited = new AwaitedReads({ kind, parts, rules: this.#rules, tiers: this.#tiers, flights: this.#flights })
  }

  get name(): string {
    return this.#kind.name
  }

  /** How many loads are under way. */
  get loading(): number {
    return this.#flights.size
  }

  /** The value of `key`, undefined if there is none. Rejects as `getMany` does. */
  async get(key: K, reader?: Reader): Promise<V | undefined> {
    const [value] = await this.getMany([key], reader)
    return value
  }

  /**
   * Values in the order of `keys`, undefined if there is none.
   *
   * Rejects if a load fails and nothing stale may be served instead: with the error of the source, or with a
   * `LoadTimeoutError` after `loadTimeout.hardMs`. Throws a `TypeError` if the scope is `viewer` and the reader names none.
   */
  async getMany(keys: readonly K[], reader: Reader = {}): Promise<(V | undefined)[]> {
    const found = new Map<string, Entry<V> | undefined>()
    const missing: LoadRequest<K>[] = []
    const ids = keys.map((key) => {
      const held = reader.bypass ? undefined : this.#held.find(key, reader)
      const id = held?.key ?? this.idOf(key, reader)
      if (found.has(id)) return id
      const entry = held && this.#serve(held, key, reader)
      found.set(id, entry)
      if (entry) return id
      missing.push(this.#requestFor(id, key, reader))
      if (!reader.bypass) this.#parts.observer.onRequest?.(this.name, 'memory', 'miss')
      return id
    })
    if (missing.length > 0) {
      for (const [id, obtained] of await this.#awaited.obtain(missing, reader)) {
        this.#tell(obtained, reader)
        found.set(id, obtained.entry)
      }
    }
    return ids.map((id) => found.get(id)?.value)
  }

  /**
   * The entry of `key` if memory holds it and it serves: what `getMany` would give, without waiting. Undefined if that would
   * have to wait: then call `getMany`, which counts the miss. Never throws for want of an entry, and never loads one, but
   * may begin a refresh.
   */
  getIfPresent(key: K, reader: Reader = {}): Entry<V> | undefined {
    const held = reader.bypass ? undefined : this.#held.find(key, reader)
    return held && this.#serve(held, key, reader)
  }

  /**
   * Stores what a write has just returned, so that the next read is a hit. Takes effect only if that write is the only
   * one of the row in the log since `began`; returns whether it did. Throws a `TypeError` if the policy has no `writeThrough`.
   * HAZARD: the write must be settled: committed, and known to the ledger.
   * @param began where the ledger stood when the write's transaction began
   */
  writeThrough(key: K, value: V | undefined, began: LogPlace): boolean {
    const { policy, name, tags } = this.#kind
    const { ledger, clock, random } = this.#parts
    if (!policy.writeThrough) throw new TypeError(`The kind "${name}" has no writeThrough in its policy.`)
    const id = this.idOf(key)
    const dependsOn = withTables(tags(key, value))
    // The write's own record is one of them. If there is another, either may have come last.
    if (ledger.recordsSince(began, [...dependsOn, id]) !== 1) return false
    const storedAtMs = clock.now()
    this.#tiers.store(key, {
      key: id,
      epoch: ledger.epoch,
      asOf: ledger.seen,
      tags: dependsOn,
      value,
      loadMs: 0,
      storedAtMs,
      staleAtMs: storedAtMs + lifeMs(policy, { value, random: random() }),
      marks: undefined,
    })
    return true
  }

  /** Loads an entry anew in the background, if memory has it and it turns stale within `withinMs`. Resolves when that is done. Never rejects. */
  async refreshAhead(id: string, withinMs: number): Promise<void> {
    const { memory, clock, observer } = this.#parts
    const { name, parseKey, policy } = this.#kind
    const entry = memory.peek(id) as Entry<V> | undefined
    if (!entry || !parseKey || !policy.refreshAhead || policy.scope === 'viewer') return
    const nowMs = clock.now()
    if (nowMs + withinMs < entry.staleAtMs || !judge(entry, nowMs, this.#rules).isUsable) return
    if (isResting(entry, nowMs)) return
    try {
      const request = { id, key: parseKey(this.#names.textIn(id)), viewer: undefined }
      await this.#flights.refresh(request, entry, 'hot')?.arrival.catch(() => {})
    } catch (error) {
      observer.onRefreshError?.(name, error as Error)
    }
  }

  /** Begins the whole key of every entry of this kind, as it is defined now. */
  get prefix(): string {
    return this.#names.prefix
  }

  /** Values by their keys' text, as `getMany` gives them. Undefined if keys of this kind can't be read back. */
  getByText(texts: readonly string[], reader?: Reader): Promise<(V | undefined)[]> | undefined {
    const { parseKey } = this.#kind
    return parseKey && this.getMany(texts.map(parseKey), reader)
  }

  /** The whole key of the entry that `reader` is given. */
  idOf(key: K, reader?: Reader): string {
    return this.#names.idOf(key, reader)
  }

  /** The whole key of an entry, from the text that names it among its kind. */
  keyOf(text: string): string {
    return this.#names.idOfText(text)
  }

  /** The text that names the entry among its kind. */
  textOf({ key }: Pick<Entry, 'key'>): string {
    return this.#names.textIn(key)
  }

  /** True for entries of this kind, as it is defined now. */
  owns(entry: Pick<Entry, 'key'>): boolean {
    return this.#names.owns(entry)
  }

  /** What an entry of this kind is worth now to a reader, and why. Marks nothing. */
  explain(entry: Entry, reader?: Pick<Reader, 'fresh' | 'position'>): EntryExplanation {
    return this.explainJudged(entry, judge({ ...entry }, this.#parts.clock.now(), this.#rules, reader))
  }

  /** Why an entry of this kind was judged so: see `CacheObserver.onRefused`. Marks nothing. */
  explainJudged(entry: Entry, judgement: Judgement): EntryExplanation {
    const { ledger, clock } = this.#parts
    return explainEntry(entry, judgement, { ledger, nowMs: clock.now() })
  }

  /** Whether others may know of the entry under a whole key. False if memory does not hold it, and only its value can tell. */
  mayBeTold(id: string): boolean {
    const { privacy, parseKey } = this.#kind
    if (typeof privacy !== 'function') return privacy !== 'memory'
    const entry = this.#parts.memory.peek(id) as Entry<V> | undefined
    return (
      entry !== undefined &&
      parseKey !== undefined &&
      privacy(entry.value, parseKey(this.#names.textIn(id))) !== 'memory'
    )
  }

  /** What the tiers hold under a whole key, whatever it is worth. Nothing is counted as used, or kept. */
  look(id: string): Promise<Holdings<V>> {
    return this.#tiers.look(id)
  }

  /** Why an entry that was just made would not be stored. Undefined if it would. */
  whyNotStored(entry: Entry<V>): WhyNotStored | undefined {
    return this.#tiers.whyNotStored(entry)
  }

  /** Compares entries of this kind, each key once, with what the primary holds. Stores nothing. Rejects if that can't be read. */
  async verify(entries: readonly Entry[]): Promise<readonly Verdict[]> {
    const { parseKey, load, policy } = this.#kind
    const { ledger, settle } = this.#parts
    if (!parseKey || policy.scope === 'viewer') return entries.map(() => 'unknown')
    const keys = entries.map(({ key }) => parseKey(this.#names.textIn(key)))
    const { values } = await load(keys, 'primary')
    // From here on the ledger knows of every write that the load saw: what stands now must agree with it.
    await settle()
    return entries.map((entry, index) => {
      if (this.#tiers.whyStrange(entry as Entry<V>) || !ledger.stands(entry)) return 'fallen'
      return isDeepStrictEqual(entry.value, values[index]) ? 'right' : 'wrong'
    })
  }

  #requestFor(id: string, key: K, { viewer }: Reader): LoadRequest<K> {
    // What is the same for all viewers is loaded for all: it must make no difference which of them asks first.
    return { id, key, viewer: this.#kind.policy.scope === 'viewer' ? viewer : undefined }
  }

  /** The entry that memory holds, if it may be served. Tells its reader, and begins a refresh if one is due. */
  #serve(entry: HeldEntry<V>, key: K, reader: Reader): Entry<V> | undefined {
    const { observer, hotKeys, clock } = this.#parts
    // HAZARD: first, because memory is emptied if the clock was set back.
    const nowMs = clock.now()
    if (!entry.queue) return undefined
    if (reader.id !== undefined && entry.readBy === reader.id) return entry
    use(entry)
    const { name, policy, parseKey } = this.#kind
    const judgement = judge(entry, nowMs, this.#rules, reader)
    const resting = isResting(entry, nowMs)
    if (judgement.is === 'fresh') {
      entry.readBy = reader.id
      observer.onRequest?.(name, 'memory', 'hit')
      if (policy.refreshAhead && parseKey) hotKeys.use(entry.key)
      if (!resting && isDueEarly(entry, nowMs, this.#early)) {
        this.#flights.refresh(this.#requestFor(entry.key, key, reader), entry, 'early')
      }
      reader.onRead?.(name, entry, 'memory', undefined)
      return entry
    }
    if (!judgement.isUsable || (judgement.is === 'lapsed' && !resting)) {
      observer.onRefused?.(name, 'memory', entry, judgement)
      return undefined
    }
    entry.readBy = reader.id
    observer.onRequest?.(name, 'memory', 'stale')
    if (!resting) this.#flights.refresh(this.#requestFor(entry.key, key, reader), entry, 'stale')
    this.#tell({ entry, origin: 'memory', stale: resting ? 'error' : whyStale(judgement) }, reader)
    return entry
  }

  #tell({ entry, origin, stale }: Obtained<V>, reader: Reader): void {
    if (stale) this.#parts.observer.onStaleServed?.(this.name, stale)
    reader.onRead?.(this.name, entry, origin, stale)
  }
}

/**
 * What becomes of an entry that is compared with the source:
 *
 *   right    it holds what the source holds
 *   wrong    it doesn't, and would have been served: there is a fault in the engine, or in the tags of its kind
 *   fallen   it doesn't stand: no reader is given it
 *   unknown  it is of no kind here, or of one whose keys can't be read back
 * @example const verdicts: readonly Verdict[] = await cache.verify([...cache.entries()])
 */
export type Verdict = 'right' | 'wrong' | 'fallen' | 'unknown'
