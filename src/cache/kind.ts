import type { CacheTag } from './cache-tag.ts'

/** One kind of entry: what its keys are, what it depends on, how it is loaded and how long it lives. */
export interface KindDefinition<K, V> {
  /** Unique in its cache; part of every key and of the metrics. */
  readonly name: string
  /** Count it up when the shape of `V`, or what it depends on, changes: entries written by older code are not read. Default 1. */
  readonly version?: number
  /** Names the entry among its kind. HAZARD: everything the value depends on must be in it, the viewer too where viewers differ. */
  readonly key: (key: K) => string
  /** The inverse of `key`, by which `Cache.verify` loads an entry anew. Absent: entries of this kind are not verified. */
  readonly parseKey?: (text: string) => K
  /** What the entry depends on. `value` is undefined where it doesn't exist: the tags that a creation writes must be among them. */
  readonly tags: (key: K, value: V | undefined) => readonly CacheTag[]
  /** Reads many at once from the source, in as few statements as it can. */
  readonly load: Load<K, V>
  /** Time to live, in milliseconds. */
  readonly ttlMs: number
  /** Time to live of what doesn't exist, in milliseconds. Default: a tenth of `ttlMs`. */
  readonly negativeTtlMs?: number
  /** How far each life is shortened at random, so that what was stored together doesn't expire together: 0.1 is up to 10 %. Default: the cache's. */
  readonly jitter?: number
}

/**
 * @param keys distinct
 * @param source `any`: a replica will do. `primary`: it must have every write committed before the call.
 */
export type Load<K, V> = (keys: readonly K[], source: Source) => Promise<Snapshot<V>>

export type Source = 'any' | 'primary'

/**
 * What a load read. Values are plain data, as a remote tier gives it back: objects, arrays, strings, numbers, booleans,
 * null, bigints, dates, buffers. HAZARD: a Map, a Set or an instance of a class comes back from there as something else.
 */
export interface Snapshot<V> {
  /** The log position visible *in the very statement that read the values*: the smallest, where there were several. */
  readonly asOf: number
  /** True where that statement also saw, or may have seen, writes that have no position yet. */
  readonly unsettled: boolean
  /** In the order of the keys; undefined where there is none. */
  readonly values: readonly (V | undefined)[]
}

/** A kind with its defaults written out. */
export type ResolvedKind<K, V> = KindDefinition<K, V> &
  Required<Pick<KindDefinition<K, V>, 'version' | 'jitter' | 'negativeTtlMs'>>

/** Throws where the definition makes no sense. */
export function resolveKind<K, V>(definition: KindDefinition<K, V>): ResolvedKind<K, V> {
  const { version = 1, jitter = 0.1, negativeTtlMs = definition.ttlMs / 10 } = definition
  const kind = { ...definition, version, jitter, negativeTtlMs }
  if (!/^[a-z][a-zA-Z0-9-]*$/.test(kind.name)) {
    throw new TypeError(
      `A kind's name must be a word such as "article" or "article-list", not ${JSON.stringify(kind.name)}.`,
    )
  }
  if (!Number.isSafeInteger(version)) {
    throw new TypeError(`version of the kind "${kind.name}" must be a whole number, not ${version}.`)
  }
  for (const option of ['ttlMs', 'negativeTtlMs'] as const) {
    if (!(kind[option] > 0 && Number.isFinite(kind[option])))
      throw new TypeError(`${option} of the kind "${kind.name}" must be milliseconds above 0, not ${kind[option]}.`)
  }
  if (!(jitter >= 0 && jitter < 1)) {
    throw new TypeError(`jitter of the kind "${kind.name}" must be at least 0 and below 1, not ${jitter}.`)
  }
  return Object.freeze(kind)
}

/** A position that is no number would be judged after every write there is; a value too few, as known not to exist. */
export function checkSnapshot<V>(snapshot: Snapshot<V>, kind: string, keys: number): Snapshot<V> {
  const { asOf, values } = snapshot
  if (!Number.isSafeInteger(asOf) || asOf < 0) {
    throw new TypeError(`The load of "${kind}" must say which log position it read as of, not ${typeof asOf} ${asOf}.`)
  }
  if (values.length !== keys) {
    throw new TypeError(`The load of "${kind}" was asked for ${keys} values and brought ${values.length}.`)
  }
  return snapshot
}
