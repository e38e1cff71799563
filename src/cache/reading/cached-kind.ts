import { isDeepStrictEqual } from 'node:util'
import type { CacheParts, RefreshReason } from '../cache-parts.ts'
import { type Condition, conditionOf, type Rules } from '../condition.ts'
import type { Entry } from '../entry.ts'
import { type EntryExplanation, explainEntry } from '../explain-entry.ts'
import type { ResolvedKind } from '../kind.ts'
import { withTables } from '../ledger/cache-tag.ts'
import type { LogPlace } from '../ledger/ledger.ts'
import { LoadTimeoutError } from '../load-timeout-error.ts'
import { type Slot, use } from '../memory/s3-fifo.ts'
import { lifeMs } from '../policy.ts'
import type { Reader, StaleReason } from '../reader.ts'
import { Deadline, OVER } from './deadline.ts'
import type { Flight, Need, Obtained } from './flight.ts'
import { Flights } from './flights.ts'
import type { LoadRequest } from './load-queue.ts'
import { type Holdings, Tiers, type WhyNotStored } from './tiers.ts'
import type { Verdict } from './verdict.ts'

/**
 * The entries of one kind: memory, then the remote tier, then the source.
 *
 * Promise: a value reflects every write that this process's ledger knew of when it was asked for. Also a stale one: it is
 * past its time to live, not past a write.
 */
export class CachedKind<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  readonly #prefix: string
  readonly #tiers: Tiers<V>
  readonly #flights: Flights<K, V>
  readonly #rules: Rules
  /** Where entries are in memory, by what names them among their kind. To make and look up the whole key takes longer than to judge the entry. */
  readonly #held = new Map<number | string, Slot<Entry<V>>>()
  /** The key that was named last. */
  #lastNamed: { readonly key: K; readonly name: string } | undefined

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts) {
    this.#kind = kind
    this.#parts = parts
    this.#prefix = `${parts.namespace}${kind.name}.${kind.fingerprint}:`
    this.#rules = { ledger: parts.ledger, grace: kind.policy.grace }
    this.#tiers = new Tiers(kind, parts)
    this.#flights = new Flights(kind, parts, this.#tiers)
  }

  get name(): string {
    return this.#kind.name
  }

  /** Loads under way. */
  get loading(): number {
    return this.#flights.size
  }

  async get(key: K, reader?: Reader): Promise<V | undefined> {
    const [value] = await this.getMany([key], reader)
    return value
  }

  /** Values in the order of `keys`, undefined where there is none. Rejects with the source's error where a load fails. */
  async getMany(keys: readonly K[], reader: Reader = {}): Promise<(V | undefined)[]> {
    const ids: string[] = []
    const found = new Map<string, Entry<V>>()
    const missing = new Map<string, LoadRequest<K>>()
    for (const key of keys) {
      const held = this.#find(key, reader)
      const id = held?.key ?? this.idOf(key, reader)
      ids.push(id)
      if (found.has(id) || missing.has(id)) continue
      const entry = held && !reader.bypass ? this.#serve(held, key, reader) : undefined
      if (entry) {
        found.set(id, entry)
        continue
      }
      missing.set(id, this.#wanted(id, key, reader))
      if (!reader.bypass) this.#parts.observer.onRequest?.(this.#kind.name, 'memory', 'miss')
    }
    if (missing.size > 0) {
      const obtained = new Map<string, Obtained<V>>()
      await this.#obtain(missing, reader, obtained)
      for (const [id, one] of obtained) {
        this.#tell(one, reader)
        found.set(id, one.entry)
      }
    }
    return ids.map((id) => found.get(id)?.value)
  }

  /**
   * The entry of `key`, where memory has it: what `getMany` would give, without waiting. Undefined where that would have
   * to wait: then ask it, and it counts the miss.
   */
  getIfPresent(key: K, reader: Reader = {}): Entry<V> | undefined {
    const held = reader.bypass ? undefined : this.#find(key, reader)
    return held && this.#serve(held, key, reader)
  }

  /**
   * Stores what a write has just returned, so that the next read is a hit. Takes effect only where that write is the only
   * one of the row in the log since `began`; returns whether it did. The write must be settled.
   * @param began where the ledger stood when the write's transaction began
   */
  writeThrough(key: K, value: V | undefined, began: LogPlace): boolean {
    const { policy, name, tags } = this.#kind
    const { ledger, clock, random } = this.#parts
    if (!policy.writeThrough) throw new TypeError(`The kind "${name}" has no writeThrough in its policy.`)
    const id = this.idOf(key, {})
    const dependsOn = withTables(tags(key, value))
    // The write's own record is one of them. Were there another, who could tell which came last?
    if (ledger.recordsSince(began, [...dependsOn, id]) !== 1) return false
    const storedAtMs = clock.now()
    this.#tiers.store({
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

  /** Loads an entry anew in the background, where memory has it and it turns stale within `withinMs`. Resolves when that is done. */
  async refreshAhead(id: string, withinMs: number): Promise<void> {
    const { memory, clock, observer } = this.#parts
    const { name, parseKey, policy } = this.#kind
    const entry = memory.peek(id) as Entry<V> | undefined
    if (!entry || !parseKey || !policy.refreshAhead || policy.scope === 'viewer') return
    const nowMs = clock.now()
    if (nowMs + withinMs < entry.staleAtMs || conditionOf(entry, nowMs, this.#rules) === 'void') return
    if (isResting(entry, nowMs)) return
    try {
      const wanted = { id, key: parseKey(this.#text(id)), viewer: undefined }
      await this.#refresh(wanted, entry, 'hot')?.arrival.catch(() => {})
    } catch (error) {
      observer.onRefreshError?.(name, error as Error)
    }
  }

  /** Begins the key of every entry of this kind, as it is defined now. */
  get prefix(): string {
    return this.#prefix
  }

  /** Values by their keys' text. Undefined where keys of this kind can't be read back. */
  getByText(texts: readonly string[], reader?: Reader): Promise<(V | undefined)[]> | undefined {
    const { parseKey } = this.#kind
    return parseKey && this.getMany(texts.map(parseKey), reader)
  }

  /** The whole key of an entry, from the text that names it among its kind. */
  keyOf(text: string): string {
    return this.#prefix + withoutBraces(text)
  }

  /** True for entries of this kind, as it is defined now. */
  owns({ key }: Pick<Entry, 'key'>): boolean {
    return key.startsWith(this.#prefix)
  }

  /** The text that names the entry among its kind. */
  textOf({ key }: Pick<Entry, 'key'>): string {
    return this.#text(key)
  }

  /** What an entry of this kind is worth now to a reader, and why. Marks nothing. */
  explain(entry: Entry, reader?: Pick<Reader, 'fresh' | 'position'>): EntryExplanation {
    const { ledger, clock } = this.#parts
    return explainEntry(entry, { ledger, nowMs: clock.now() }, this.#kind.policy, reader)
  }

  /** What the tiers hold under a whole key, whatever that is worth. Nothing is counted as used, or kept. */
  look(id: string): Promise<Holdings<V>> {
    return this.#tiers.look(id)
  }

  /** Why an entry that was just made would not be stored. Undefined where it would. */
  whyNotStored(entry: Entry<V>): WhyNotStored | undefined {
    return this.#tiers.whyNotStored(entry)
  }

  /** Compares entries of this kind, each key once, with what the primary holds. Nothing is stored. */
  async verify(entries: readonly Entry[]): Promise<readonly Verdict[]> {
    const { parseKey, load, policy } = this.#kind
    const { ledger, settle } = this.#parts
    if (!parseKey || policy.scope === 'viewer') return entries.map(() => 'unknown')
    const { values } = await load(
      entries.map(({ key }) => parseKey(this.#text(key))),
      'primary',
    )
    // From here on the ledger knows of every write that the load saw: what stands now must agree with it.
    await settle()
    return entries.map((entry, index) => {
      if (!ledger.stands(entry)) return 'fallen'
      return isDeepStrictEqual(entry.value, values[index]) ? 'right' : 'wrong'
    })
  }

  /** The text that names the entry of `key` among its kind. A caller that reads `key` next pays for the text once. */
  nameOf(key: K): string {
    this.#lastNamed = { key, name: this.#kind.key(key) }
    return this.#lastNamed.name
  }

  /** The whole key of the entry that `reader` is given. */
  idOf(key: K, { viewer }: Reader = {}): string {
    if (this.#kind.policy.scope === 'public') return this.keyOf(this.#kind.key(key))
    if (viewer === undefined) {
      throw new TypeError(`The kind "${this.#kind.name}" has entries for each viewer: its reader must say who that is.`)
    }
    return `${this.#prefix}${withoutBraces(JSON.stringify(viewer))} ${withoutBraces(this.#kind.key(key))}`
  }

  #find(key: K, reader: Reader): Slot<Entry<V>> | undefined {
    if (this.#kind.policy.scope === 'viewer') return this.#tiers.findInMemory(this.idOf(key, reader))
    const last = this.#lastNamed
    const name = typeof key === 'number' ? key : last && last.key === key ? last.name : this.#kind.key(key)
    const known = this.#held.get(name)
    if (known?.value) return known
    const held = this.#tiers.findInMemory(this.idOf(key, reader))
    if (!held) return undefined
    if (this.#held.size >= MAX_HELD) this.#held.clear()
    this.#held.set(name, held)
    return held
  }

  #text(id: string): string {
    return decodeURIComponent(id.slice(this.#prefix.length))
  }

  #wanted(id: string, key: K, { viewer }: Reader): LoadRequest<K> {
    // What is the same for all is loaded for all: who asks first must make no difference.
    return { id, key, viewer: this.#kind.policy.scope === 'viewer' ? viewer : undefined }
  }

  /** The entry in `held`, where it may be served. Its reader is told. */
  #serve(held: Slot<Entry<V>>, key: K, reader: Reader): Entry<V> | undefined {
    const entry = use(held)
    if (!entry) return undefined
    const { observer, hotKeys, clock } = this.#parts
    const { name, policy, parseKey } = this.#kind
    const nowMs = clock.now()
    const condition = conditionOf(entry, nowMs, this.#rules, reader)
    const resting = isResting(entry, nowMs)
    if (condition === 'void' || (condition === 'lapsed' && !resting)) {
      observer.onRefused?.(name, 'memory', entry)
      return undefined
    }
    if (condition === 'fresh') {
      observer.onRequest?.(name, 'memory', 'hit')
      if (policy.refreshAhead && parseKey) hotKeys.use(held.key)
      if (!resting && this.#isDueEarly(entry, nowMs)) this.#refresh(this.#wanted(held.key, key, reader), entry, 'early')
      reader.onRead?.(name, entry, 'memory', undefined)
      return entry
    }
    observer.onRequest?.(name, 'memory', 'stale')
    if (!resting) this.#refresh(this.#wanted(held.key, key, reader), entry, 'stale')
    this.#tell({ entry, origin: 'memory', stale: resting ? 'error' : this.#whyStale(entry) }, reader)
    return entry
  }

  #tell({ entry, origin, stale }: Obtained<V>, reader: Reader): void {
    const { name } = this.#kind
    if (stale) this.#parts.observer.onStaleServed?.(name, stale)
    reader.onRead?.(name, entry, origin, stale)
  }

  #judge(entry: Entry, reader?: Reader): Condition {
    return conditionOf(entry, this.#parts.clock.now(), this.#rules, reader)
  }

  /** XFetch: see `Policy.earlyRefresh`. */
  #isDueEarly(entry: Entry<V>, nowMs: number): boolean {
    const leftMs = entry.staleAtMs - nowMs
    const gapMs = entry.loadMs * this.#kind.policy.earlyRefresh
    // Beyond that the odds are one in e²⁰: not worth a logarithm at every hit.
    return leftMs < 20 * gapMs && leftMs <= -gapMs * Math.log(1 - this.#parts.random())
  }

  /** In the background, unless it is on its way. Should it fail, the next try waits a while. */
  #refresh(wanted: LoadRequest<K>, entry: Entry<V>, why: RefreshReason): Flight<K, V> | undefined {
    const { observer, clock } = this.#parts
    if (this.#flights.has(wanted.id)) return undefined
    observer.onRefresh?.(this.#kind.name, why)
    const [flight] = this.#flights.launch([wanted], { fresh: true, storedAfterMs: entry.storedAtMs })
    flight?.arrival.catch((error: Error) => {
      entry.retryAtMs = clock.now() + RETRY_MS
      observer.onRefreshError?.(this.#kind.name, error)
    })
    return flight
  }

  /** Fills `into` with an entry for each of `missing`, each as good as a read of the source that begins now. */
  async #obtain(missing: Map<string, LoadRequest<K>>, reader: Reader, into: Map<string, Obtained<V>>): Promise<void> {
    const { ledger, settle, clock } = this.#parts
    const { loadTimeout } = this.#kind.policy
    const soft = new Deadline(clock, loadTimeout.softMs)
    const hard = new Deadline(clock, loadTimeout.hardMs)
    // Once, not at every attempt: a ledger that runs ahead of the loads would never be content with one.
    let asked = ledger.place
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        // Two attempts suffice within one history of the log. So it isn't the one this ledger follows, or not any longer.
        if (attempt >= 2) await settle()
        if (asked.epoch !== ledger.epoch) asked = ledger.place
        for (const { flight, joined } of this.#coming([...missing.values()], reader, attempt)) {
          const obtained = await this.#await(flight, { reader, soft, hard, tryAgain: joined && attempt === 0 })
          const accepted = obtained && this.#accept(obtained, missing.get(flight.id), reader, asked)
          if (!accepted) continue
          into.set(flight.id, accepted)
          missing.delete(flight.id)
        }
        if (missing.size === 0) return
      }
    } finally {
      soft.cancel()
      hard.cancel()
    }
    throw new Error(
      `"${this.#kind.name}" could not be loaded: the log's history changed ${MAX_ATTEMPTS} times meanwhile.`,
    )
  }

  #coming(
    wanted: readonly LoadRequest<K>[],
    reader: Reader,
    attempt: number,
  ): readonly { readonly flight: Coming<V>; readonly joined: boolean }[] {
    if (!reader.bypass) return this.#flights.joinOrLaunch(wanted, attempt === 0 ? ANYTHING : FRESH)
    const all = this.#flights.readThrough(wanted)
    return wanted.map(({ id }, index) => {
      const arrival = all.then((read) => read[index])
      // Whoever waits for several meets the first failure, and never looks at the others.
      arrival.catch(() => {})
      return { flight: { id, arrival }, joined: false }
    })
  }

  /** What arrives; or, where it fails or is slow, what there is already, if that may be served. Undefined where another attempt is due. */
  async #await(coming: Coming<V>, { reader, soft, hard, tryAgain }: Patience): Promise<Obtained<V> | undefined> {
    const { loadTimeout } = this.#kind.policy
    const inTime = hard.race(coming.arrival).then((first) => {
      if (first === OVER) throw new LoadTimeoutError(this.#kind.name, loadTimeout.hardMs)
      return first
    })
    try {
      const first = await soft.race(inTime)
      if (first !== OVER) return first
      return this.#inStead(coming, reader, 'slow') ?? (await inTime)
    } catch (error) {
      const isSlow = error instanceof LoadTimeoutError
      // It took too long for those who asked for it before this reader did.
      if (isSlow && !hard.isOver) return undefined
      const stale = this.#inStead(coming, reader, isSlow ? 'slow' : 'error')
      if (!stale) {
        // Others' keys were loaded with it. One of them may be what the source choked on.
        if (tryAgain && !isSlow) return undefined
        throw error
      }
      stale.entry.retryAtMs = this.#parts.clock.now() + RETRY_MS
      return stale
    }
  }

  #inStead({ id, reserve }: Coming<V>, reader: Reader, why: StaleReason): Obtained<V> | undefined {
    const entry = reader.bypass ? undefined : (this.#tiers.inMemory(id) ?? reserve)
    if (!entry) return undefined
    const condition = this.#judge(entry, reader)
    if (condition === 'void') return undefined
    return condition === 'fresh' ? { entry, origin: 'memory' } : { entry, origin: 'memory', stale: why }
  }

  /** Undefined for what this reader can't be content with: a flight that somebody else began may have read before a write that it must see. */
  #accept(
    obtained: Obtained<V>,
    wanted: LoadRequest<K> | undefined,
    reader: Reader,
    asked: LogPlace,
  ): Obtained<V> | undefined {
    const { entry, origin, stale } = obtained
    if (stale) return obtained
    const reflects = this.#flights.reflects(entry, asked)
    if (origin === 'source') return reflects ? obtained : undefined
    if (reflects && this.#parts.clock.now() < entry.staleAtMs) return obtained
    if (!wanted || this.#judge(entry, reader) !== 'stale') return undefined
    this.#refresh(wanted, entry, 'stale')
    return { ...obtained, stale: this.#whyStale(entry) }
  }

  #whyStale(entry: Entry<V>): StaleReason {
    return this.#parts.ledger.softenedAt(entry) > 0 ? 'softened' : 'revalidating'
  }
}

/** What one attempt of a reader ends with. */
interface Patience {
  readonly reader: Reader
  readonly soft: Deadline
  readonly hard: Deadline
  /** Should the load fail, another is due. */
  readonly tryAgain: boolean
}

/** What a reader waits for. */
type Coming<V> = Pick<Flight<unknown, V>, 'id' | 'arrival'> & { readonly reserve?: Entry<V> | undefined }

/** A load of it has failed just now. */
const isResting = ({ retryAtMs }: Entry, nowMs: number): boolean => retryAtMs !== undefined && nowMs < retryAtMs

/** Braces and what escapes them: a Redis Cluster would take the text between braces for the whole key. */
const withoutBraces = (text: string): string =>
  /[{}%]/.test(text) ? text.replaceAll('%', '%25').replaceAll('{', '%7B').replaceAll('}', '%7D') : text

const ANYTHING: Need = { fresh: false, storedAfterMs: Number.NEGATIVE_INFINITY }
const FRESH: Need = { fresh: true, storedAfterMs: Number.NEGATIVE_INFINITY }
const MAX_ATTEMPTS = 4
const MAX_HELD = 65_536
/** After a failed refresh. */
const RETRY_MS = 1000
