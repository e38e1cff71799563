/**
 * How the entries of one kind live. Times in milliseconds, sizes in bytes. Defaults that a cache is given hold for all its kinds.
 * @example const policy: Policy = { ttlMs: 60_000, grace: { staleWhileRevalidateMs: 10_000 }, maxBytes: 100_000 }
 */
export interface Policy {
  /** Time to live: from then on an entry is stale, though it stands. */
  readonly ttlMs: number
  /** Time to live of an entry whose value doesn't exist. Default: a tenth of `ttlMs`. */
  readonly negativeTtlMs?: number
  /** How far each life is shortened at random, so that entries stored together don't turn stale together: 0.1 is up to 10 %. Default 0.1. */
  readonly jitter?: number
  /** How long an entry that is stale, and stands, may still be served (RFC 5861). Default: not at all. */
  readonly grace?: Grace
  /**
   * Refreshes an entry before it turns stale, at random, the likelier the nearer that is and the longer its load took: the
   * β of XFetch (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015). More is earlier, 0 is never. Default 1.
   */
  readonly earlyRefresh?: number
  /** Whether entries that are used most are refreshed before they turn stale, read or not. Default true. */
  readonly refreshAhead?: boolean
  /** How long a reader waits for a load. */
  readonly loadTimeout?: LoadTimeout
  /** Entries larger than that, in memory, are served and not stored. Default: no bound. */
  readonly maxBytes?: number
  /** Entries larger than that, encoded, are compressed in the remote tier. Default 4096. */
  readonly compressAboveBytes?: number
  /** Where entries are kept. Default `both`. */
  readonly tiers?: 'memory' | 'redis' | 'both'
  /** `viewer`: each viewer has entries of their own, and a reader must say who that is. Default `public`. */
  readonly scope?: 'public' | 'viewer'
  /** Whether rows that writes return may be stored. HAZARD: right only if one row decides the whole value, and each write of it locks that row. Default false. */
  readonly writeThrough?: boolean
  /**
   * How long one process may keep others from loading the same key. No reader waits for it longer than twice that. Needs a
   * remote tier. 0: every process loads for itself. Default 1000.
   */
  readonly leaseMs?: number
  /** How many keys one load is asked for at most. Default 1000. */
  readonly maxBatch?: number
}

/**
 * For how long a stale entry may be served, in milliseconds after its time to live.
 * @example const grace: Grace = { staleWhileRevalidateMs: 10_000, staleIfErrorMs: 3_600_000 }
 */
export interface Grace {
  /** It is served at once, while it is refreshed. Default 0. */
  readonly staleWhileRevalidateMs?: number
  /** It is served if its load fails, or takes longer than the soft time-out. 0, or no less than `staleWhileRevalidateMs`. Default 0. */
  readonly staleIfErrorMs?: number
}

/**
 * How long a reader waits for a load, in milliseconds.
 * @example const loadTimeout: LoadTimeout = { softMs: 200, hardMs: 5000 }
 */
export interface LoadTimeout {
  /** Then the reader is given a stale entry, if grace allows it, and the load goes on. Default: it waits. */
  readonly softMs?: number
  /** Then it is given a `LoadTimeoutError`. The load goes on, and is stored if it still can be; the next reader begins another. Default 10,000. */
  readonly hardMs?: number
}

/** A policy with its defaults written out. */
export type ResolvedPolicy = Required<Omit<Policy, 'grace' | 'loadTimeout'>> & {
  readonly grace: Required<Grace>
  readonly loadTimeout: Required<LoadTimeout>
}

/**
 * Throws a `TypeError` with a sentence if the policy makes no sense.
 * @param own what the kind itself says
 * @param defaults what holds if it doesn't
 * @param of names the kind in that sentence
 */
export function resolvePolicy(own: Policy, defaults: Partial<Policy>, of: string): ResolvedPolicy {
  const policy = { ...DEFAULTS, ...given(defaults), ...given(own), ttlMs: own.ttlMs }
  const resolved: ResolvedPolicy = {
    ...policy,
    negativeTtlMs: own.negativeTtlMs ?? Math.min(defaults.negativeTtlMs ?? own.ttlMs / 10, own.ttlMs),
    grace: { staleWhileRevalidateMs: 0, staleIfErrorMs: 0, ...given(policy.grace) },
    loadTimeout: {
      softMs: Number.POSITIVE_INFINITY,
      hardMs: 10_000,
      ...given(defaults.loadTimeout),
      ...given(own.loadTimeout),
    },
  }
  checkValues(resolved, of)
  checkTogether(own, resolved, of)
  return Object.freeze(resolved)
}

const DEFAULTS = {
  jitter: 0.1,
  grace: {},
  earlyRefresh: 1,
  refreshAhead: true,
  maxBytes: Number.POSITIVE_INFINITY,
  compressAboveBytes: 4096,
  tiers: 'both',
  scope: 'public',
  writeThrough: false,
  leaseMs: 1000,
  maxBatch: 1000,
} satisfies Partial<Policy>

/** The options that are set, since one that is undefined counts as not given. */
const given = <T extends object>(options: T | undefined): T =>
  Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as T

function checkValues(policy: ResolvedPolicy, of: string): void {
  const { grace, loadTimeout } = policy
  const check = (name: string, value: unknown, holds: boolean, wanted: string) => {
    const quoted = typeof value === 'string' ? JSON.stringify(value) : value
    if (!holds) throw new TypeError(`${name} of ${of} must be ${wanted}, not ${quoted}.`)
  }
  const bound = (name: string, value: number, unit: string) => check(name, value, value > 0, `${unit} above 0`)
  const life = (name: string, value: number) =>
    check(name, value, value > 0 && Number.isFinite(value), 'milliseconds above 0')
  const span = (name: string, value: number, wanted = 'milliseconds, 0 or more') =>
    check(name, value, value >= 0 && Number.isFinite(value), wanted)
  const oneOf = (name: string, value: string, allowed: readonly string[]) =>
    check(name, value, allowed.includes(value), `one of ${allowed.join(', ')}`)

  life('ttlMs', policy.ttlMs)
  life('negativeTtlMs', policy.negativeTtlMs)
  check('jitter', policy.jitter, policy.jitter >= 0 && policy.jitter < 1, 'at least 0 and below 1')
  span('grace.staleWhileRevalidateMs', grace.staleWhileRevalidateMs)
  span('grace.staleIfErrorMs', grace.staleIfErrorMs)
  span('earlyRefresh', policy.earlyRefresh, '0 or more')
  bound('loadTimeout.softMs', loadTimeout.softMs, 'milliseconds')
  bound('loadTimeout.hardMs', loadTimeout.hardMs, 'milliseconds')
  bound('maxBytes', policy.maxBytes, 'bytes')
  bound('compressAboveBytes', policy.compressAboveBytes, 'bytes')
  oneOf('tiers', policy.tiers, ['memory', 'redis', 'both'])
  oneOf('scope', policy.scope, ['public', 'viewer'])
  span('leaseMs', policy.leaseMs)
  const { maxBatch } = policy
  check('maxBatch', maxBatch, Number.isSafeInteger(maxBatch) && maxBatch > 0, 'a whole number of keys above 0')
}

/** @param own as it was declared: an option that only a default makes pointless is no mistake */
function checkTogether(own: Policy, policy: ResolvedPolicy, of: string): void {
  const { ttlMs, negativeTtlMs, tiers, scope } = policy
  const { staleWhileRevalidateMs: whileMs, staleIfErrorMs: ifErrorMs } = policy.grace
  const { softMs, hardMs } = policy.loadTimeout
  const refuse = (one: string, other: string, why: string): never => {
    throw new TypeError(`${one} and ${other} of ${of} don't go together: ${why}.`)
  }
  if (negativeTtlMs > ttlMs) {
    const why = 'what does not exist would outlive what does'
    refuse(`negativeTtlMs ${negativeTtlMs}`, `ttlMs ${ttlMs}`, why)
  }
  if (ifErrorMs > 0 && ifErrorMs < whileMs) {
    const why = 'as long as it is served anyway, an error makes no difference; it must be 0 or the longer one'
    refuse(`grace.staleIfErrorMs ${ifErrorMs}`, `grace.staleWhileRevalidateMs ${whileMs}`, why)
  }
  if (Number.isFinite(softMs) && softMs >= hardMs) {
    refuse(`loadTimeout.softMs ${softMs}`, `loadTimeout.hardMs ${hardMs}`, 'the soft one must come first')
  }
  if (own.loadTimeout?.softMs !== undefined && whileMs === 0 && ifErrorMs === 0) {
    const why = 'there is nothing stale to answer when the time is up'
    refuse(`loadTimeout.softMs ${softMs}`, 'a grace of 0', why)
  }
  if (Number.isFinite(own.compressAboveBytes) && tiers === 'memory') {
    const why = 'only what goes to the remote tier is compressed'
    refuse(`compressAboveBytes ${own.compressAboveBytes}`, 'tiers "memory"', why)
  }
  if ((own.leaseMs ?? 0) > 0 && tiers === 'memory') {
    const why = 'who waits for another process finds what it loaded in the remote tier'
    refuse(`leaseMs ${own.leaseMs}`, 'tiers "memory"', why)
  }
  if (policy.writeThrough && scope === 'viewer') {
    refuse('writeThrough', 'scope "viewer"', 'a row that one viewer wrote is no answer for another')
  }
  if (own.refreshAhead === true && tiers === 'redis') {
    refuse('refreshAhead', 'tiers "redis"', 'it is the memory tier that knows what is used most')
  }
}

/** For how long after it turned stale an entry may be usable, in milliseconds. */
export const graceMs = ({ grace }: ResolvedPolicy): number =>
  Math.max(grace.staleWhileRevalidateMs, grace.staleIfErrorMs)
