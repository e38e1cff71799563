import { createHash } from 'node:crypto'
import type { CacheTag } from './ledger/cache-tag.ts'
import { type Policy, type ResolvedPolicy, resolvePolicy } from './policy.ts'

/**
 * One kind of entry: what its keys are, what it depends on, how it is loaded, and its policy: how it lives.
 *
 * @example
 * const definition: KindDefinition<number, City> = {
 *   name: 'city',
 *   ttlMs: 60_000,
 *   key: String,
 *   parseKey: Number,
 *   tags: (id) => [rowTag('cities', id)],
 *   load: async (ids) => readCities(ids),
 * }
 */
export interface KindDefinition<K, V> extends Policy {
  /** Unique in its cache; part of every key and of the metrics. */
  readonly name: string
  /**
   * What decides a value beside `key`, `tags` and `load`: functions that these call, statements, versions of libraries, or a hash of all the
   * code. Its text is hashed into every key, beside that of the three, so that a deploy which changes it can't read what older
   * code stored. HAZARD: what isn't named here can change unnoticed.
   */
  readonly madeOf?: readonly unknown[]
  /** Names the entry among its kind. HAZARD: everything the value depends on must be in it; for values that differ by viewer see `scope`. */
  readonly key: (key: K) => string
  /** The inverse of `key`, to load an entry from its text: to verify it, or to refresh it before it is asked for. Absent: neither is done. */
  readonly parseKey?: (text: string) => K
  /** What the entry depends on. If `value` is undefined, the row doesn't exist: the tags that a creation writes must be among them. */
  readonly tags: (key: K, value: V | undefined) => readonly CacheTag[]
  /** Reads many at once from the source, in as few statements as it can. */
  readonly load: Load<K, V>
  /** Whether what the remote tier holds under `key` is a value of this kind. If not, the entry counts as corrupt. Default: it always is. */
  readonly isValue?: (value: unknown, key: K) => boolean
  /** Whether processes take turns to load a key, by a lease on it. False for what isn't stored: nobody would gain by waiting. Default: they do. */
  readonly isLeased?: (key: K) => boolean
  /** Who may know an entry. Default `public`; for kinds of scope `viewer` `sealed`. */
  readonly privacy?: Privacy | ((value: V | undefined, key: K) => Privacy)
}

/**
 * Who may know an entry, and so where it may lie:
 *
 *   public  everyone who can read the remote tier: it lies there as it is
 *   sealed  processes that have a secret: it lies there encrypted; without secrets it stays in memory
 *   memory  this process alone, because its key tells too much as well
 *
 * HAZARD: a lease on a key names it in the remote tier, while its entry is loaded.
 * @example const definition = { name: 'invoice', privacy: 'sealed', ttlMs: 60_000, key: String, tags, load } satisfies KindDefinition<number, Invoice>
 */
export type Privacy = 'public' | 'sealed' | 'memory'

/**
 * Reads values from the source. Keys that several readers ask for in one turn of the event loop come in one call. If that
 * rejects, the keys of each reader are asked for again by themselves.
 *
 * @param keys distinct
 * @param source `any`: a replica will do. `primary`: it must have every write committed before the call. Anything else is what
 *   `CacheOptions.openSnapshot` made: without that option there is none
 * @param viewer who reads, for kinds of scope `viewer`: the same for all keys
 *
 * @example
 * const load: Load<number, City> = async (ids, source) => {
 *   const pool = source === 'primary' ? primary : replica
 *   const sql = 'select position, unsettled, epoch, cities.* from stet.as_of left join cities on cities.id = any($1)'
 *   const { rows } = await pool.query(sql, [ids])
 *   const { position, unsettled, epoch } = rows[0]
 *   const values = ids.map((id) => rows.find((row) => row.id === id))
 *   return { asOf: Number(position), unsettled, epoch, values }
 * }
 */
export type Load<K, V> = (keys: readonly K[], source: Source, viewer?: string) => Promise<Snapshot<V>>

/**
 * Which database a load may read: `any`, a replica too; the `primary` alone; or one snapshot of the primary.
 * @example const pool = (source: Source) => (typeof source === 'object' ? transactionOf(source) : source === 'primary' ? primary : replica)
 */
export type Source = 'any' | 'primary' | SourceSnapshot

/** What `CacheOptions.openSnapshot` made: loads are given it, and read within it. @example const source: SourceSnapshot = { transaction } */
export type SourceSnapshot = object

/**
 * Runs `work` while `source` reads one snapshot of the primary, whatever is written meanwhile. Rejects as `work` does.
 *
 * @example
 * const openSnapshot: OpenSnapshot = (work) =>
 *   primary.transaction().setIsolationLevel('repeatable read').execute((transaction) => work({ transaction }))
 */
export type OpenSnapshot = <T>(work: (source: SourceSnapshot) => Promise<T>) => Promise<T>

/**
 * What a load read. Values are plain data, as a remote tier gives it back: objects, arrays, strings, numbers, booleans,
 * null, bigints, dates, buffers. HAZARD: a Map, a Set or an instance of a class comes back from there as something else.
 * @example const snapshot: Snapshot<City> = { asOf: 17, unsettled: false, values: [{ name: 'Bern' }, undefined] }
 */
export interface Snapshot<V> {
  /** The log position visible *in the very statement that read the values*: the smallest if there were several statements. */
  readonly asOf: number
  /** The history of the log that this position belongs to. Default: the one that the ledger follows. */
  readonly epoch?: string | undefined
  /** True if that statement also saw, or may have seen, writes that have no position yet. The cache then waits for `settle`. */
  readonly unsettled: boolean
  /** In the order of the keys; undefined if there is none. */
  readonly values: readonly (V | undefined)[]
  /** What only the load knows of its values, in their order. */
  readonly traits?: readonly Traits[]
}

/**
 * What a load adds to one value, beyond what its kind says of all.
 * @example const traits: Traits = { tags: ['rates'], ttlMs: 5000 }
 */
export interface Traits {
  /** What it depends on, beside the kind's own tags: each tag once, with those of the tables. */
  readonly tags: readonly CacheTag[]
  /**
   * Its time to live, in milliseconds, at most its kind's. 0: the readers that wait for it are given it, and it is not
   * stored.
   */
  readonly ttlMs: number
}

/** A kind, checked, with its policy's defaults written out. */
export interface ResolvedKind<K, V>
  extends Pick<KindDefinition<K, V>, 'name' | 'key' | 'parseKey' | 'tags' | 'load'>,
    Required<Pick<KindDefinition<K, V>, 'isValue' | 'isLeased' | 'privacy'>> {
  /** Names this definition: another one has another. */
  readonly fingerprint: string
  readonly policy: ResolvedPolicy
}

/** Throws a `TypeError` if the definition makes no sense. */
export function resolveKind<K, V>(
  definition: KindDefinition<K, V>,
  defaults: Partial<Policy> = {},
): ResolvedKind<K, V> {
  const {
    name,
    key,
    parseKey,
    tags,
    load,
    madeOf = [],
    isValue = always,
    isLeased = always,
    privacy,
    ...own
  } = definition
  if (!/^[a-z][a-zA-Z0-9-]*$/.test(name)) {
    throw new TypeError(
      `A kind's name must be a word such as "article" or "article-list", not ${JSON.stringify(name)}.`,
    )
  }
  const policy = resolvePolicy(own, defaults, `the kind "${name}"`)
  return Object.freeze({
    name,
    key,
    ...(parseKey && { parseKey }),
    tags,
    load,
    isValue,
    isLeased,
    privacy: privacy ?? (policy.scope === 'viewer' ? 'sealed' : 'public'),
    policy,
    fingerprint: fingerprint([key, tags, load, policy.scope, ...madeOf]),
  })
}

const always = () => true

function fingerprint(parts: readonly unknown[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    hash.update(typeof part === 'function' ? part.toString() : (JSON.stringify(part) ?? 'undefined')).update('\0')
  }
  return hash.digest('base64url').slice(0, 8)
}
