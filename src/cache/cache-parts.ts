import type { Clock } from '../kernel/clock.ts'
import type { Entry } from './entry.ts'
import type { Judgement } from './judgement.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { HotKeys } from './memory/hot-keys.ts'
import type { MemoryTier } from './memory/memory-tier.ts'
import type { StaleReason } from './reader.ts'
import type { RemoteTier } from './remote/remote-tier.ts'

/** What all kinds of one cache share. */
export interface CacheParts {
  readonly ledger: Ledger
  readonly settle: () => Promise<void>
  readonly memory: MemoryTier
  readonly remote?: RemoteTier
  readonly hotKeys: HotKeys
  readonly namespace: string
  readonly clock: Clock
  readonly random: () => number
  readonly observer: CacheObserver
}

/**
 * Is told what happens inside a cache, for metrics and logs. HAZARD: called while a read waits; it must be quick, and not throw.
 * @example const observer: CacheObserver = { onRequest: (kind, tier, result) => counter.inc({ kind, tier, result }) }
 */
export interface CacheObserver {
  /** A tier was asked for an entry, and this is what it had. */
  onRequest?(kind: string, tier: 'memory' | 'redis', result: 'hit' | 'stale' | 'miss' | 'corrupt'): void
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
  /** The remote tier could not be read: entries were loaded instead. */
  onRemoteError?(error: Error): void
}

/**
 * Why an entry is loaded anew in the background: it is `stale`; it will be soon, and `early` was drawn by chance; or it is `hot`.
 * @example const onRefresh = (kind: string, why: RefreshReason) => counter.inc({ kind, why })
 */
export type RefreshReason = 'stale' | 'early' | 'hot'
