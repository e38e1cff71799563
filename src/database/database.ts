import type { Kysely, QueryResult, RawBuilder, Transaction } from 'kysely'
import type { OpenSnapshot, Source } from '../cache/index.ts'
import { explainConnectionError } from './connection-errors.ts'
import { LoadLimit, type LoadLimitOptions, type Weight } from './load-limit.ts'
import { openKysely, type SentStatement } from './open-kysely.ts'
import type { Pool } from './pool.ts'
import type { Replica } from './replica.ts'
import type { Tables } from './tables.ts'

export interface DatabaseOptions {
  readonly primary: Pool
  readonly replica?: Replica | undefined
  /** How many loads run at a time on the primary. Default: eight. */
  readonly loads?: LoadLimitOptions | undefined
  /** How many transactions of requests run at a time, on the primary. Default: eight. */
  readonly writes?: LoadLimitOptions | undefined
  /** Called for each SQL statement on the primary once it was answered. */
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
}

/** Runs one query. */
export type RunQuery = <Row>(query: RawBuilder<Row>) => Promise<QueryResult<Row>>

/** The primary, and a replica to load from, if there is one. */
export class Database {
  readonly primary: Kysely<Tables>
  readonly replica: Replica | undefined
  /** Every load from the primary runs within it. */
  readonly loads: LoadLimit
  /** Every write of a request runs within it. */
  readonly writes: LoadLimit

  constructor({ primary, replica, loads, writes, onStatement }: DatabaseOptions) {
    this.primary = openKysely(primary, 'primary', onStatement)
    this.replica = replica
    this.loads = new LoadLimit('read', loads)
    this.writes = new LoadLimit('written', writes)
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
   * How to run a loading query: within a transaction that `openSnapshot` began; on the replica while it is known to be well, if
   * `source` is 'any'; otherwise on the primary, which is also asked if the replica does not answer.
   *
   * @param weight what the query takes of the database
   * @throws DatabaseOverloadedError beyond the limit of loads; DatabaseUnavailableError if the primary can't be reached
   */
  loader(source: Source, weight: Weight = 'cheap'): RunQuery {
    if (source instanceof OpenTransaction) return source.run
    const { replica } = this
    if (source !== 'any' || !replica?.isWell) return (query) => this.#fromPrimary(query, weight)
    return async (query) => (await replica.load(query, weight)) ?? this.#fromPrimary(query, weight)
  }

  async #fromPrimary<Row>(query: RawBuilder<Row>, weight: Weight): Promise<QueryResult<Row>> {
    try {
      return await this.loads.run(() => query.execute(this.primary), weight)
    } catch (error) {
      throw explainConnectionError(error)
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
    const result = this.#last
      .then(() => query.execute(this.#transaction))
      .catch((error) => {
        throw explainConnectionError(error)
      })
    this.#last = result.catch(() => {})
    return result
  }
}
