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

/** What happens inside, for metrics and logs. */
export interface CacheObserver {
  onRequest?(kind: string, tier: 'memory' | 'redis', result: 'hit' | 'stale' | 'miss' | 'corrupt'): void
  /** A tier holds an entry that doesn't serve whoever asks: it has fallen, or is past its time to live. */
  onRefused?(kind: string, tier: 'memory' | 'redis', entry: Entry, judgement: Judgement): void
  onLoad?(kind: string, seconds: number, keys: number): void
  onFlightJoined?(kind: string): void
  /** Another process loads what was asked for: this one waits. */
  onLeaseAwaited?(kind: string): void
  onStaleServed?(kind: string, why: StaleReason): void
  /** An entry is loaded anew in the background. @param why `stale`, or before it is: `early` by chance, `hot` for its use */
  onRefresh?(kind: string, why: RefreshReason): void
  onRefreshError?(kind: string, error: Error): void
  /** A value was larger than its policy's `maxBytes`: it was served, and not stored. */
  onOversized?(kind: string): void
  onRemoteError?(error: Error): void
}

export type RefreshReason = 'stale' | 'early' | 'hot'
