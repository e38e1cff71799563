import { atTurnEnd } from '../../kernel/turn-end.ts'
import type { CacheParts } from '../cache-options.ts'
import type { Entry } from '../entry.ts'
import type { ResolvedKind, Snapshot, Source } from '../kind.ts'
import { withTables } from '../ledger/cache-tag.ts'
import type { ResolvedPolicy } from '../policy.ts'

/** One entry to load: its whole key, the kind's own key, and the viewer for kinds of scope `viewer`. */
export interface LoadRequest<K> {
  readonly id: string
  readonly key: K
  readonly viewer: string | undefined
}

/** Loads entries of one kind. What is asked for together (see `atTurnEnd`) travels in as few calls as `maxBatch` allows. If that is 1, nothing waits. */
export class LoadQueue<K, V> {
  readonly #kind: ResolvedKind<K, V>
  readonly #parts: CacheParts
  /** Calls that more orders may share: the oldest first. */
  readonly #waiting: { readonly call: Call; readonly orders: Order<K, V>[] }[] = []

  constructor(kind: ResolvedKind<K, V>, parts: CacheParts) {
    this.#kind = kind
    this.#parts = parts
  }

  /** Entries in the order of `requests`, whose ids are distinct. Rejects if the load fails. */
  load(requests: readonly LoadRequest<K>[], source: Source): Promise<Entry<V>[]> {
    return new Promise((resolve, reject) => {
      const order = { requests, resolve, reject }
      const call: Call = [source, requests[0]?.viewer]
      if (this.#kind.policy.maxBatch === 1) return void this.#fill([order], call)
      for (const waiting of this.#waiting) if (isSame(waiting.call, call)) return void waiting.orders.push(order)
      const waiting = { call, orders: [order] }
      this.#waiting.push(waiting)
      // They are called in the order in which they came.
      atTurnEnd(() => {
        this.#waiting.shift()
        void this.#fill(waiting.orders, call)
      })
    })
  }

  async #fill(orders: readonly Order<K, V>[], call: Call): Promise<void> {
    const distinct = new Map<string, LoadRequest<K>>()
    for (const { requests } of orders) for (const one of requests) distinct.set(one.id, one)
    try {
      const loaded = await this.#loadAll([...distinct.values()], call)
      for (const { requests, resolve } of orders) resolve(requests.flatMap(({ id }) => loaded.get(id) ?? []))
    } catch (error) {
      // The call may have failed because of one order's keys: retry each order alone.
      if (orders.length === 1) for (const { reject } of orders) reject(error as Error)
      else await Promise.all(orders.map((order) => this.#fill([order], call)))
    }
  }

  async #loadAll(requests: readonly LoadRequest<K>[], call: Call): Promise<Map<string, Entry<V>>> {
    const { maxBatch } = this.#kind.policy
    const batches = Array.from({ length: Math.ceil(requests.length / maxBatch) }, (_, index) =>
      this.#loadBatch(requests.slice(index * maxBatch, (index + 1) * maxBatch), call),
    )
    return new Map((await Promise.all(batches)).flat().map((entry) => [entry.key, entry]))
  }

  async #loadBatch(requests: readonly LoadRequest<K>[], call: Call): Promise<Entry<V>[]> {
    const { ledger, settle, clock, random, observer } = this.#parts
    const { name, load, policy, tags } = this.#kind
    const followed = ledger.epoch
    const startedAt = clock.elapsed()
    const keys = requests.map(({ key }) => key)
    const snapshot = checkSnapshot(await load(keys, ...call), name, keys.length)
    const tookMs = clock.elapsed() - startedAt
    observer.onLoad?.(name, tookMs / 1000, keys.length)
    // V8 stores a whole number in the entry itself, and a fraction elsewhere: every hit looks at it.
    const loadMs = Math.ceil(tookMs)
    // The value may show a write that has no position yet. The write gets one before any reader sees the value, so that a
    // token handed out with it covers the write, and the entry doesn't stand as of a position before it.
    // (After a whole snapshot was read, `Snapshots` does that.)
    const isPartOfSnapshot = typeof call[0] === 'object'
    if (snapshot.unsettled && !isPartOfSnapshot) await settle()
    const storedAtMs = clock.now()
    return requests.map(({ id, key }, index) => {
      const value = snapshot.values[index]
      const traits = snapshot.traits?.[index]
      const entry: Entry<V> = {
        key: id,
        // The very same string if it is equal: to compare two strings takes longer at every hit.
        epoch: snapshot.epoch === undefined || snapshot.epoch === followed ? followed : snapshot.epoch,
        asOf: snapshot.asOf,
        // `concat` leaves no room to grow, unlike spreading both.
        tags: traits ? withTables(tags(key, value)).concat(traits.tags) : withTables(tags(key, value)),
        value,
        loadMs,
        storedAtMs,
        staleAtMs: storedAtMs + lifeMs(policy, { value, ttlMs: traits?.ttlMs, random: random() }),
        marks: undefined,
      }
      // Whether it shows those writes, only the order of their commits could tell.
      const isOfNoMoment = snapshot.unsettled && (isPartOfSnapshot || !ledger.stands(entry))
      return isOfNoMoment ? { ...entry, isOfNoMoment } : entry
    })
  }
}

/** What the keys of one call have in common. */
type Call = readonly [source: Source, viewer: string | undefined]

const isSame = ([source, viewer]: Call, other: Call): boolean => source === other[0] && viewer === other[1]

interface Order<K, V> {
  readonly requests: readonly LoadRequest<K>[]
  resolve(entries: Entry<V>[]): void
  reject(error: Error): void
}

/** Throws a `TypeError` otherwise: a position that is no number would be judged as after every write, and a missing value as known not to exist. */
function checkSnapshot<V>(snapshot: Snapshot<V>, kind: string, keys: number): Snapshot<V> {
  const { asOf, values, traits } = snapshot
  if (!Number.isSafeInteger(asOf) || asOf < 0) {
    throw new TypeError(`The load of "${kind}" must say which log position it read as of, not ${typeof asOf} ${asOf}.`)
  }
  if (values.length !== keys) {
    throw new TypeError(`The load of "${kind}" was asked for ${keys} values and brought ${values.length}.`)
  }
  if (traits && traits.length !== keys) {
    throw new TypeError(`The load of "${kind}" brought ${keys} values and the traits of ${traits.length}.`)
  }
  return snapshot
}

/**
 * How long an entry lives, in milliseconds, shortened at random.
 * @param ttlMs its own, if it has one. Default: its kind's
 * @param random a number in [0, 1)
 */
export const lifeMs = (
  policy: ResolvedPolicy,
  { value, ttlMs, random }: { readonly value: unknown; readonly ttlMs?: number | undefined; readonly random: number },
): number => (ttlMs ?? (value === undefined ? policy.negativeTtlMs : policy.ttlMs)) * (1 - policy.jitter * random)
