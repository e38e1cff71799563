import { isDeepStrictEqual } from 'node:util'
import type { CacheParts } from './cache-parts.ts'
import { withTables } from './cache-tag.ts'
import type { Entry } from './entry.ts'
import { decodeEntry, encodeEntry } from './envelope.ts'
import { checkSnapshot, type ResolvedKind, type Source } from './kind.ts'
import type { Origin, Reader } from './reader.ts'
import type { Verdict } from './verdict.ts'

/**
 * The entries of one kind: memory, then the remote tier, then the source.
 *
 * Promise: a value reflects every write that this process's ledger knew of when it was asked for.
 */
export class CachedKind<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  readonly #prefix: string
  /** Loads under way, by key. Each is gone from here before anybody learns what it brought. */
  readonly #flights = new Map<string, Flight<V>>()

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts) {
    this.#kind = kind
    this.#parts = parts
    this.#prefix = `${parts.namespace}${kind.name}.${kind.version}:`
  }

  get name(): string {
    return this.#kind.name
  }

  async get(key: K, reader?: Reader): Promise<V | undefined> {
    const [value] = await this.getMany([key], reader)
    return value
  }

  /** Values in the order of `keys`, undefined where there is none. Rejects with the source's error where a load fails. */
  async getMany(keys: readonly K[], reader: Reader = {}): Promise<(V | undefined)[]> {
    const obtained = new Map<string, Obtained<V>>()
    const missing = new Map<string, K>()
    for (const key of keys) {
      const id = this.#prefix + this.#kind.key(key)
      if (obtained.has(id) || missing.has(id)) continue
      const entry = reader.bypass ? undefined : this.#inMemory(id)
      if (entry) obtained.set(id, { entry, origin: 'memory' })
      else missing.set(id, key)
    }
    if (missing.size > 0) await this.#obtain(missing, reader, obtained)
    for (const { entry, origin } of obtained.values()) reader.onRead?.(this.#kind.name, entry, origin)
    return keys.map((key) => obtained.get(this.#prefix + this.#kind.key(key))?.entry.value)
  }

  /** Begins the key of every entry of this kind, as it is defined now. */
  get prefix(): string {
    return this.#prefix
  }

  /** Values by keys as they stand in entries, behind the prefix. Undefined where keys of this kind can't be read back. */
  getByText(texts: readonly string[]): Promise<(V | undefined)[]> | undefined {
    const { parseKey } = this.#kind
    return parseKey && this.getMany(texts.map(parseKey))
  }

  /** True for entries of this kind, as it is defined now. */
  owns(entry: Entry): boolean {
    return entry.key.startsWith(this.#prefix)
  }

  /** Compares entries of this kind, each key once, with what the primary holds. Nothing is stored. */
  async verify(entries: readonly Entry[]): Promise<readonly Verdict[]> {
    const { parseKey, load } = this.#kind
    const { ledger, settle } = this.#parts
    if (!parseKey) return entries.map(() => 'unknown')
    const { values } = await load(
      entries.map(({ key }) => parseKey(key.slice(this.#prefix.length))),
      'primary',
    )
    // From here on the ledger knows of every write that the load saw: what stands now must agree with it.
    await settle()
    return entries.map((entry, index) => {
      if (!ledger.stands(entry)) return 'fallen'
      return isDeepStrictEqual(entry.value, values[index]) ? 'right' : 'wrong'
    })
  }

  #inMemory(id: string): Entry<V> | undefined {
    const { memory, observer } = this.#parts
    // Only this kind writes under its prefix.
    const entry = memory.get(id) as Entry<V> | undefined
    if (entry && this.#usable(entry)) {
      observer.onRequest?.(this.#kind.name, 'memory', 'hit')
      return entry
    }
    observer.onRequest?.(this.#kind.name, 'memory', 'miss')
    return undefined
  }

  /** Fills `into` with an entry for each key of `missing`, each as good as a read of the source that begins now. */
  async #obtain(missing: Map<string, K>, reader: Reader, into: Map<string, Obtained<V>>): Promise<void> {
    const { ledger, settle } = this.#parts
    // Once, not at every attempt: a ledger that runs ahead of the loads would never be content with one.
    let asked = { epoch: ledger.epoch, position: ledger.seen }
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      // Two attempts suffice within one history of the log. So it isn't the one this ledger follows, or not any longer.
      if (attempt >= 2) await settle()
      if (asked.epoch !== ledger.epoch) asked = { epoch: ledger.epoch, position: ledger.seen }
      const flights = reader.bypass ? [this.#fetch(new Map(missing), PRIMARY_ONLY)] : this.#joinOrLaunch(missing)
      for (const arrived of await Promise.all(flights)) {
        for (const [id, obtained] of arrived) {
          // A flight that somebody else began may have read before a write that this caller must see.
          if (!missing.has(id) || !this.#reflects(obtained.entry, asked)) continue
          into.set(id, obtained)
          missing.delete(id)
        }
      }
      if (missing.size === 0) return
    }
    throw new Error(
      `"${this.#kind.name}" could not be loaded: the log's history changed ${MAX_ATTEMPTS} times meanwhile.`,
    )
  }

  /** The flights that will bring all of `missing`: those under way, and one more for the keys that are on none. */
  #joinOrLaunch(missing: Map<string, K>): Arrival<V>[] {
    const arrivals = new Set<Arrival<V>>()
    const unclaimed = new Map<string, K>()
    for (const [id, key] of missing) {
      const flight = this.#flights.get(id)
      if (flight && this.#isWorthJoining(flight, key)) {
        arrivals.add(flight.arrival)
        this.#parts.observer.onFlightJoined?.(this.#kind.name)
      } else {
        unclaimed.set(id, key)
      }
    }
    if (unclaimed.size > 0) arrivals.add(this.#launch(unclaimed).arrival)
    return [...arrivals]
  }

  #launch(batch: ReadonlyMap<string, K>): Flight<V> {
    const { epoch, seen } = this.#parts.ledger
    const arrival = this.#fetch(batch, NEAREST_FIRST).finally(() => {
      for (const id of batch.keys()) if (this.#flights.get(id) === flight) this.#flights.delete(id)
    })
    const flight = { epoch, position: seen, arrival }
    for (const id of batch.keys()) this.#flights.set(id, flight)
    return flight
  }

  /** False where the key was written after the flight began: it may bring the old value, and waiting for it would be in vain. */
  #isWorthJoining({ epoch, position }: Flight<V>, key: K): boolean {
    const tags = withTables(this.#kind.tags(key, undefined))
    return this.#parts.ledger.stands({ epoch, asOf: position, tags })
  }

  /** From the remote tier what stands there, the rest from each source in turn until it is fresh enough. */
  async #fetch(batch: ReadonlyMap<string, K>, sources: readonly Source[]): Promise<Map<string, Obtained<V>>> {
    const { ledger } = this.#parts
    const asked = { epoch: ledger.epoch, position: ledger.seen }
    const obtained =
      sources === PRIMARY_ONLY ? new Map<string, Obtained<V>>() : await this.#readRemote([...batch.keys()])
    for (const source of sources) {
      const wanted = [...batch].filter(([id]) => !obtained.has(id))
      if (wanted.length === 0) break
      for (const entry of await this.#load(wanted, source)) {
        // What a write overtook while it was read may be answered once. It is never kept.
        if (ledger.stands(entry)) this.#store(entry)
        if (this.#reflects(entry, asked)) obtained.set(entry.key, { entry, origin: 'source' })
      }
    }
    return obtained
  }

  /** Does `entry` show every write logged at or before the position that was asked for? */
  #reflects(entry: Entry<V>, asked: { readonly epoch: string; readonly position: number }): boolean {
    return (entry.epoch === asked.epoch && entry.asOf >= asked.position) || this.#parts.ledger.stands(entry)
  }

  async #readRemote(ids: readonly string[]): Promise<Map<string, Obtained<V>>> {
    const { remote, memory, observer } = this.#parts
    const obtained = new Map<string, Obtained<V>>()
    if (!remote) return obtained
    const stored = await remote.read(ids).catch((error: Error) => {
      observer.onRemoteError?.(error)
      return []
    })
    for (const [index, id] of ids.entries()) {
      const bytes = stored[index]
      const entry = bytes && decodeEntry<V>(id, bytes)
      if (bytes && !entry) observer.onRequest?.(this.#kind.name, 'redis', 'corrupt')
      if (bytes && entry && this.#usable(entry)) {
        memory.set(entry)
        obtained.set(id, { entry, origin: 'redis' })
        observer.onRequest?.(this.#kind.name, 'redis', 'hit')
      } else {
        observer.onRequest?.(this.#kind.name, 'redis', 'miss')
      }
    }
    return obtained
  }

  async #load(wanted: readonly (readonly [string, K])[], source: Source): Promise<Entry<V>[]> {
    const { ledger, settle, clock, random, observer } = this.#parts
    const { ttlMs, negativeTtlMs, jitter } = this.#kind
    const { epoch } = ledger
    const startedAt = performance.now()
    const keys = wanted.map(([, key]) => key)
    const snapshot = checkSnapshot(await this.#kind.load(keys, source), this.#kind.name, keys.length)
    observer.onLoad?.(this.#kind.name, (performance.now() - startedAt) / 1000, keys.length)
    // What was read may show a write that has no position yet. It gets one before anybody sees the value, so that
    // a token handed out with it covers the write, and an entry that shows it doesn't stand as of a position before.
    if (snapshot.unsettled) await settle()
    const storedAtMs = clock.now()
    return wanted.map(([id, key], index) => {
      const value = snapshot.values[index]
      const lifeMs = (value === undefined ? negativeTtlMs : ttlMs) * (1 - jitter * random())
      const tags = withTables(this.#kind.tags(key, value))
      return { key: id, epoch, asOf: snapshot.asOf, tags, value, storedAtMs, staleAtMs: storedAtMs + lifeMs }
    })
  }

  #store(entry: Entry<V>): void {
    const { memory, remote } = this.#parts
    remote?.write(entry.key, encodeEntry(entry), entry.staleAtMs - entry.storedAtMs)
    memory.set(entry)
  }

  #usable(entry: Entry<V>): boolean {
    return this.#parts.clock.now() < entry.staleAtMs && this.#parts.ledger.stands(entry)
  }
}

/** One load of many keys, and where the ledger stood when it began. */
interface Flight<V> {
  readonly epoch: string
  readonly position: number
  readonly arrival: Arrival<V>
}

/** Brings an entry for each key that could be read fresh enough. */
type Arrival<V> = Promise<Map<string, Obtained<V>>>

interface Obtained<V> {
  readonly entry: Entry<V>
  readonly origin: Origin
}

const NEAREST_FIRST: readonly Source[] = ['any', 'primary']
const PRIMARY_ONLY: readonly Source[] = ['primary']
const MAX_ATTEMPTS = 4
