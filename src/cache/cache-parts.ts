import type { Clock } from '../kernel/clock.ts'
import type { Ledger } from './ledger.ts'
import type { MemoryTier } from './memory-tier.ts'
import type { RemoteTier } from './remote-tier.ts'

/** What all kinds of one cache share. */
export interface CacheParts {
  readonly ledger: Ledger
  readonly settle: () => Promise<void>
  readonly memory: MemoryTier
  readonly remote?: RemoteTier
  readonly namespace: string
  readonly clock: Clock
  readonly random: () => number
  readonly observer: CacheObserver
}

/** What happens inside, for metrics and logs. */
export interface CacheObserver {
  onRequest?(kind: string, tier: 'memory' | 'redis', result: 'hit' | 'miss' | 'corrupt'): void
  onLoad?(kind: string, seconds: number, keys: number): void
  onFlightJoined?(kind: string): void
  onRemoteError?(error: Error): void
}
