export { type Act, AuditPlugin, operatorAct, recordAct, recordWritten } from './audit.ts'
export { pruneAudit, readAudit } from './audit-records.ts'
export { type CachedTable, cachedBy, cachedIds, cachedRows, isWhole } from './cached-rows.ts'
export { DatabaseUnavailableError, explainConnectionError, isLostOnTheWay, isRetryable } from './connection-errors.ts'
export type { Database } from './database.ts'
export { differsFrom } from './differs-from.ts'
export { grantTo } from './grant.ts'
export {
  cachedList,
  isPage,
  type KeyType,
  type Ordering,
  PAGES_AT_ONCE,
  type Page,
  type PagedQuery,
  type Place,
  type PlacesOnPage,
  pageFrom,
  pageParts,
  readCounts,
  readPages,
} from './keyset.ts'
export { DatabaseOverloadedError, type Weight } from './load-limit.ts'
export { findUnmended, migrate } from './migrate.ts'
export { type OpenDatabases, openDatabases } from './open-databases.ts'
export type { SentStatement } from './open-kysely.ts'
export type { Pool } from './pool.ts'
export { inOrderOf, readAsOf } from './read-as-of.ts'
export type { ReplicaObserver } from './replica.ts'
export type { ReplicaState } from './replica-watch.ts'
export type { ArticleRow, AuditRow, Tables, TagRow, UserRow } from './tables.ts'
export { whileEmpty } from './while-empty.ts'
