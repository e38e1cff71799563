import { createHash } from 'node:crypto'
import type { CacheTag } from './ledger/cache-tag.ts'
import { type Policy, type ResolvedPolicy, resolvePolicy } from './policy.ts'

/** One kind of entry: what its keys are, what it depends on, how it is loaded, and its policy: how it lives. */
export interface KindDefinition<K, V> extends Policy {
  /** Unique in its cache; part of every key and of the metrics. */
  readonly name: string
  /**
   * What else decides what the entries hold and depend on, beside the text of `key`, `tags` and `load`: functions and
   * statements that those use. All of it is hashed into every key, so that a deploy which changes it can't read what older
   * code stored. HAZARD: what isn't named here can change unnoticed.
   */
  readonly madeOf?: readonly unknown[]
  /** Names the entry among its kind. HAZARD: everything the value depends on must be in it, the viewer too where viewers differ. */
  readonly key: (key: K) => string
  /** The inverse of `key`, by which an entry is loaded anew: to verify it, to refresh it unasked. Absent: neither is done. */
  readonly parseKey?: (text: string) => K
  /** What the entry depends on. `value` is undefined where it doesn't exist: the tags that a creation writes must be among them. */
  readonly tags: (key: K, value: V | undefined) => readonly CacheTag[]
  /** Reads many at once from the source, in as few statements as it can. */
  readonly load: Load<K, V>
}

/**
 * Keys that several readers asked for at the same moment come in one call. Where that fails, each reader's are asked for again by themselves.
 * @param keys distinct
 * @param source `any`: a replica will do. `primary`: it must have every write committed before the call.
 * @param viewer who reads, for kinds of scope `viewer`: the same for all keys
 */
export type Load<K, V> = (keys: readonly K[], source: Source, viewer?: string) => Promise<Snapshot<V>>

export type Source = 'any' | 'primary'

/**
 * What a load read. Values are plain data, as a remote tier gives it back: objects, arrays, strings, numbers, booleans,
 * null, bigints, dates, buffers. HAZARD: a Map, a Set or an instance of a class comes back from there as something else.
 */
export interface Snapshot<V> {
  /** The log position visible *in the very statement that read the values*: the smallest, where there were several. */
  readonly asOf: number
  /** The history of the log that this position belongs to. Default: the one that the ledger follows. */
  readonly epoch?: string | undefined
  /** True where that statement also saw, or may have seen, writes that have no position yet. */
  readonly unsettled: boolean
  /** In the order of the keys; undefined where there is none. */
  readonly values: readonly (V | undefined)[]
  /** What only the load knows of its values, in their order. */
  readonly traits?: readonly Traits[]
}

/** Of one value, beyond what its kind says of all. */
export interface Traits {
  /** What it depends on, beside the kind's own tags: each tag once, with those of the tables. */
  readonly tags: readonly CacheTag[]
  /** Its time to live, in milliseconds. 0: whoever asked is given it, and nobody keeps it. */
  readonly ttlMs: number
}

/** A kind, checked, with its policy's defaults written out. */
export interface ResolvedKind<K, V> extends Pick<KindDefinition<K, V>, 'name' | 'key' | 'parseKey' | 'tags' | 'load'> {
  /** Names this definition: another one has another. */
  readonly fingerprint: string
  readonly policy: ResolvedPolicy
}

/** Throws where the definition makes no sense. */
export function resolveKind<K, V>(
  definition: KindDefinition<K, V>,
  defaults: Partial<Policy> = {},
): ResolvedKind<K, V> {
  const { name, key, parseKey, tags, load, madeOf = [] } = definition
  if (!/^[a-z][a-zA-Z0-9-]*$/.test(name)) {
    throw new TypeError(
      `A kind's name must be a word such as "article" or "article-list", not ${JSON.stringify(name)}.`,
    )
  }
  const policy = resolvePolicy(definition, defaults, `the kind "${name}"`)
  return Object.freeze({
    name,
    key,
    ...(parseKey && { parseKey }),
    tags,
    load,
    policy,
    fingerprint: fingerprint([key, tags, load, policy.scope, ...madeOf]),
  })
}

function fingerprint(parts: readonly unknown[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    hash.update(typeof part === 'function' ? part.toString() : (JSON.stringify(part) ?? 'undefined')).update('\0')
  }
  return hash.digest('base64url').slice(0, 8)
}

/** A position that is no number would be judged after every write there is; a value too few, as known not to exist. */
export function checkSnapshot<V>(snapshot: Snapshot<V>, kind: string, keys: number): Snapshot<V> {
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
