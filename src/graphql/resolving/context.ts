import type { DocumentNode, ExecutionResult } from 'graphql'
import type { Kysely, Transaction } from 'kysely'
import type { LogPlace, Origin, Reader } from '../../cache/index.ts'
import type { Tables } from '../../database/index.ts'
import type { Viewer } from '../../identity/index.ts'
import type { CacheControl } from './cache-control.ts'

/** One request: who asks, how it reads and how it writes. */
export interface Context {
  readonly requestId: string
  /** Who asks. HAZARD: whoever looks makes the answer a personal one, and must: else another viewer is given it. */
  readonly viewer: Viewer
  /** For how long the answer may be kept, for whom, and what drops it. */
  readonly cacheControl: CacheControl
  /** Names whose share is used up by what is limited: see `nameAsker`. */
  readonly asker: string
  /** Goes with every read of the cache. */
  readonly reader: Reader
  /** The log can't be read just now: what is answered may be out of date. */
  readonly unsure: boolean
  readonly progress: {
    /** It asks for something: what else is wrong with it is the question, not the request. */
    isQuestion: boolean
    /** What it asks for, once that is known to be valid. */
    document: DocumentNode | undefined
    /** What it brought, where that has errors. */
    result: ExecutionResult | undefined
    /** How many writes this request has made: what was loaded before one is not served after it. */
    readonly writes: number
    /** Where this node's ledger stood when the last of them began. */
    readonly wroteFrom: LogPlace
    /** The newest position that anything in the answer was read as of. */
    readonly newest: number
    /** How many entries came from where. */
    readonly read: Readonly<Record<Origin | 'stale', number>>
  }
  /** What `perRequest` made for it. */
  readonly made: Map<(context: Context) => unknown, { readonly writes: number; readonly value: unknown }>
  /**
   * Runs `work` in a transaction, and resolves once its writes are in the log and this node's ledger knows them.
   * HAZARD: read with the transaction alone inside; what it sees may yet roll back and must never reach the cache.
   */
  write<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T>
  /** The same for what one statement does, which is a transaction by itself. HAZARD: of two that write, one may be lost. */
  writeAtOnce<T>(work: (primary: Kysely<Tables>) => Promise<T>): Promise<T>
}

/** Where an answer came from, in one word: that of the part that took longest, or is stale. */
export type CacheWord = 'HIT' | 'MISS' | 'STALE' | 'BYPASS'

export function cacheWord({ reader, unsure, progress: { read } }: Context): CacheWord {
  if (reader.bypass) return 'BYPASS'
  const held = read.memory + read.redis
  if (read.stale > 0 || (unsure && held > 0)) return 'STALE'
  return read.source > 0 || held === 0 ? 'MISS' : 'HIT'
}

/**
 * Something made once a request, and anew after each of its writes: loaders above all, which keep what they loaded. The
 * request itself holds it: what a WeakMap by requests holds, outlives them until V8 clears up everything.
 */
export function perRequest<T>(make: (context: Context) => T): (context: Context) => T {
  return (context) => {
    const { writes } = context.progress
    const existing = context.made.get(make)
    if (existing && existing.writes === writes) return existing.value as T
    const value = make(context)
    context.made.set(make, { writes, value })
    return value
  }
}
