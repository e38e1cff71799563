export { GuardedRedis, type GuardedRedisOptions } from '../redis/index.ts'
export { Cache, type HotEntry, type NamedKind, type WrapOptions } from './cache.ts'
export type { CacheObserver, CacheOptions, LookUpResult, RefreshReason } from './cache-options.ts'
export type { Entry } from './entry.ts'
export type { EntryExplanation, Standing } from './explain-entry.ts'
export type { Condition, Judgement } from './judgement.ts'
export type { KindDefinition, Load, OpenSnapshot, Privacy, Snapshot, Source, SourceSnapshot, Traits } from './kind.ts'
export {
  ANY_WRITE,
  anyRowTag,
  anyWriteTag,
  type CacheTag,
  columnTag,
  fieldTag,
  rowTag,
  softly,
  withTables,
} from './ledger/cache-tag.ts'
export { Ledger, type LogPlace, type LogRecord, type LogStretch, type Span, type TagWrite } from './ledger/ledger.ts'
export { HotKeys } from './memory/hot-keys.ts'
export type { Grace, LoadTimeout, Policy } from './policy.ts'
export type { Origin, Reader, StaleReason } from './reader.ts'
export type { CachedKind, Verdict } from './reading/cached-kind.ts'
export { LoadTimeoutError, type Obtained } from './reading/flight.ts'
export type { Holdings, WhyNotStored } from './reading/tiers.ts'
export { decodeEntry } from './remote/envelope.ts'
export { RedisTier, type RedisTierOptions } from './remote/redis-tier.ts'
export type { RoundTrip } from './remote/redis-turns.ts'
export type { Found, LeaseRequest, ReadRequest, RemoteTier } from './remote/remote-tier.ts'
export type { OneSnapshot } from './snapshot.ts'
