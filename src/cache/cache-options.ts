import type { Clock } from '../kernel/clock.ts'
import type { Keyring } from '../redis/index.ts'
import type { Entry } from './entry.ts'
import type { Judgement } from './judgement.ts'
import type { OpenSnapshot } from './kind.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { HotKeys } from './memory/hot-keys.ts'
import type { MemoryTier } from './memory/memory-tier.ts'
import type { Policy } from './policy.ts'
import type { StaleReason } from './reader.ts'
import type { RemoteTier } from './remote/remote-tier.ts'

/**
 * What a cache is made of. Only the ledger and `settle` must be given.
 * @example const options: CacheOptions = { ledger, settle: () => follower.settle(), memoryMaxBytes: 256 * 2 ** 20 }
 */
export interface CacheOptions {
  /** Judges every entry. HAZARD: a ledger that nothing keeps up to date serves stale entries: see `Follower` in `stet/invalidation`. */
  readonly ledger: Ledger
  /** Resolves once every write committed before the call has its position, and the ledger knows it. */
  readonly settle: () => Promise<void>
  /** How to read everything in one snapshot of the source. Default: `Cache.snapshot` rejects if what it reads keeps changing. */
  readonly openSnapshot?: OpenSnapshot | undefined
  /**
   * Begins another epoch of the log, unless `epoch` is no longer the present one. Called if an entry of the remote tier proves that
   * the log has lost a part of its past. No reader is given such an entry in any case. HAZARD: used only with `secrets`: otherwise
   * anybody who can write to the remote tier could make all processes forget what they hold. Default: nothing is begun.
   */
  readonly startEpoch?: ((epoch: string, why: string) => Promise<void>) | undefined
  /** The tier that processes share, such as a `RedisTier`. Default: none, memory alone. */
  readonly remote?: RemoteTier
  /**
   * With secrets, what goes to the remote tier is signed by the first of them, and what is read from there must be signed by one
   * of them: each at least 32 bytes. Private entries are sealed, and others can't read them. Default: nothing is signed, whoever
   * can write to the remote tier is believed, and private entries stay in memory: see `KindDefinition.privacy`.
   */
  readonly secrets?: readonly string[] | undefined
  /** Size of the memory tier, in bytes of heap. Default 64 MiB. */
  readonly memoryMaxBytes?: number
  /** Begins every key: entries of one namespace are never read in another. Default `stet:`. */
  readonly namespace?: string
  /** Policy of all kinds, as far as their own says nothing else. */
  readonly defaults?: Partial<Policy>
  /** Default: the clock of the system. Tests pass one that they move. */
  readonly clock?: Clock
  /** A number in [0, 1), for jitter and early refreshes. Default `Math.random`. */
  readonly random?: () => number
  /** Is told what happens inside, for metrics and logs. */
  readonly observer?: CacheObserver
  /** Counts which entries are used most. Default: the 256 most used. */
  readonly hotKeys?: HotKeys
}

/** What all kinds of one cache share: its options with their defaults, and the memory tier. */
export interface CacheParts
  extends Required<
    Omit<CacheOptions, 'openSnapshot' | 'startEpoch' | 'remote' | 'secrets' | 'memoryMaxBytes' | 'defaults'>
  > {
  readonly openSnapshot: OpenSnapshot | undefined
  readonly startEpoch: CacheOptions['startEpoch']
  readonly memory: MemoryTier
  readonly keyring: Keyring | undefined
  /** Entries on their way to the remote tier that wait for the log. */
  readonly sharing: Set<Promise<void>>
  readonly remote?: RemoteTier | undefined
}

/**
 * Is told what happens inside a cache, for metrics and logs. HAZARD: called while a read waits; it must be quick, and not throw.
 * @example const observer: CacheObserver = { onRequest: (kind, tier, result) => counter.inc({ kind, tier, result }) }
 */
export interface CacheObserver {
  /** A tier was asked for an entry, and this is what it had. */
  onRequest?(kind: string, tier: 'memory' | 'redis', result: LookUpResult): void
  /** A tier holds an entry that doesn't serve this reader, for the reason that `judgement` gives. */
  onRefused?(kind: string, tier: 'memory' | 'redis', entry: Entry, judgement: Judgement): void
  /** A load from the source ended well. */
  onLoad?(kind: string, seconds: number, keys: number): void
  /** A read waits for a load that another read of this process began. */
  onFlightJoined?(kind: string): void
  /** A read waits for a load of another process. */
  onLeaseAwaited?(kind: string): void
  /** A reader was given a stale entry. */
  onStaleServed?(kind: string, why: StaleReason): void
  /** An entry is loaded anew in the background. */
  onRefresh?(kind: string, why: RefreshReason): void
  /** A refresh failed: the entry is tried again a second later. */
  onRefreshError?(kind: string, error: Error): void
  /** A value was larger than its policy's `maxBytes`: it was served, and not stored. */
  onOversized?(kind: string): void
  /** What was read for `Cache.snapshot` was no snapshot, so it is read again. @param attempt the first is 1; after the third all is read in one transaction */
  onMadeAgain?(attempt: number): void
  /** The clock was set back, by so many milliseconds: memory was emptied, because how old its entries are can't be told any more. */
  onClockSetBack?(byMs: number): void
  /** The remote tier could not be read: entries were loaded instead. */
  onRemoteError?(error: Error): void
}

/**
 * What a tier had. `corrupt`: a value that is no entry, or not of its kind. `future`: one that says it is as of a position
 * which the log has not reached. `lost`: one that is as of a record which the log does not hold, or no longer.
 * @example const results: readonly LookUpResult[] = ['corrupt', 'future']
 */
export type LookUpResult = 'hit' | 'stale' | 'miss' | 'corrupt' | 'future' | 'lost'

/**
 * Why an entry is loaded anew in the background: it is `stale`; it will be soon, and `early` was drawn by chance; or it is `hot`.
 * @example const onRefresh = (kind: string, why: RefreshReason) => counter.inc({ kind, why })
 */
export type RefreshReason = 'stale' | 'early' | 'hot'
