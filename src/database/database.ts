import { ConsecutiveBreaker, circuitBreaker, handleWhen, type IPolicy, isBrokenCircuitError } from 'cockatiel'
import { Kysely, type QueryResult, type RawBuilder, type Transaction } from 'kysely'
import type { OpenSnapshot, Source } from '../cache/index.ts'
import { AuditingDialect } from './audit.ts'
import { explainConnectionError, isConnectionError } from './connection-errors.ts'
import { DatabaseOverloadedError, LoadLimit, type LoadLimitOptions } from './load-limit.ts'
import type { Pool } from './pool.ts'
import type { Tables } from './tables.ts'

export interface DatabaseOptions {
  readonly primary: Pool
  readonly replica?: Pool | undefined
  /** How many loads run at a time, on each of the two. Default: eight. */
  readonly loads?: LoadLimitOptions | undefined
  /** How many transactions of requests run at a time, on the primary. Default: eight. */
  readonly writes?: LoadLimitOptions | undefined
  /** Called for each SQL statement once it was answered. */
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
  /** Called if the replica could not be read, and so the primary was. */
  readonly onReplicaError?: ((error: Error) => void) | undefined
}

export interface SentStatement {
  /** Its first word. */
  readonly kind: string
  /** As it was sent, without the values of its parameters. */
  readonly text: string
  readonly on: 'primary' | 'replica'
  readonly ms: number
}

/** Runs one query. */
export type RunQuery = <Row>(query: RawBuilder<Row>) => Promise<QueryResult<Row>>

/** The primary, and a replica to load from, if there is one. */
export class Database {
  readonly primary: Kysely<Tables>
  readonly loads: LoadLimit
  /** Every write of a request runs within it. */
  readonly writes: LoadLimit
  readonly #replica: { readonly db: Kysely<Tables>; readonly loads: LoadLimit; readonly breaker: IPolicy } | undefined
  readonly #onReplicaError: (error: Error) => void

  constructor({ primary, replica, loads, writes, onStatement, onReplicaError = () => {} }: DatabaseOptions) {
    const open = (pool: Pool, on: SentStatement['on']) =>
      new Kysely<Tables>({
        dialect: new AuditingDialect({ pool }),
        ...(onStatement && {
          log: ({ query: { sql: text }, queryDurationMillis: ms }) =>
            onStatement({ kind: firstWord(text), text, on, ms }),
        }),
      })
    this.primary = open(primary, 'primary')
    this.loads = new LoadLimit('read', loads)
    this.writes = new LoadLimit('written', writes)
    this.#onReplicaError = onReplicaError
    this.#replica = replica && {
      db: open(replica, 'replica'),
      loads: new LoadLimit('read', loads),
      // Without it, every load would wait for the time-out of a replica that hangs.
      breaker: circuitBreaker(handleWhen(isConnectionError), {
        halfOpenAfter: REPLICA_PAUSE_MS,
        breaker: new ConsecutiveBreaker(3),
      }),
    }
  }

  /** Runs `work` while its source reads one snapshot of the primary. All of it counts as one load. @throws as `loader` does */
  readonly openSnapshot: OpenSnapshot = async (work) => {
    try {
      return await this.loads.run(() =>
        this.primary
          .transaction()
          .setIsolationLevel('repeatable read')
          .setAccessMode('read only')
          .execute((transaction) => work(new OpenTransaction(transaction))),
      )
    } catch (error) {
      throw explainConnectionError(error)
    }
  }

  /**
   * How to run a loading query: within a transaction that `openSnapshot` began; on the replica while it answers, if `source` is
   * 'any'; otherwise on the primary.
   *
   * @throws DatabaseOverloadedError beyond the limit of loads; DatabaseUnavailableError if the primary can't be reached
   */
  loader(source: Source): RunQuery {
    if (source instanceof OpenTransaction) return source.run
    const fromPrimary: RunQuery = async (query) => {
      try {
        return await this.loads.run(() => query.execute(this.primary))
      } catch (error) {
        throw explainConnectionError(error)
      }
    }
    const replica = source === 'any' ? this.#replica : undefined
    if (!replica) return fromPrimary
    return async (query) => {
      try {
        return await replica.breaker.execute(() => replica.loads.run(() => query.execute(replica.db)))
      } catch (error) {
        if (error instanceof DatabaseOverloadedError) throw error
        // Any error: a replica may lack a column that a migration has just made, or cancel a query for its own clean-up.
        if (!isBrokenCircuitError(error)) this.#onReplicaError(error as Error)
        return fromPrimary(query)
      }
    }
  }
}

/** A transaction of which several loads are a part. Its connection takes one statement at a time. */
class OpenTransaction {
  readonly #transaction: Transaction<Tables>
  #last: Promise<unknown> = Promise.resolve()

  constructor(transaction: Transaction<Tables>) {
    this.#transaction = transaction
  }

  readonly run: RunQuery = (query) => {
    const result = this.#last.then(() => query.execute(this.#transaction))
    this.#last = result.catch(() => {})
    return result
  }
}

const REPLICA_PAUSE_MS = 1000

/** Of a statement that appends an audit record: the word within. */
const firstWord = (text: string): string => /^\s*(?:with written as \()?(\w+)/.exec(text)?.[1]?.toLowerCase() ?? 'other'
