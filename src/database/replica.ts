import { type Kysely, type QueryResult, type RawBuilder, sql } from 'kysely'
import type pg from 'pg'
import type { Clock } from '../kernel/clock.ts'
import { inTime } from '../kernel/in-time.ts'
import { isConnectionError } from './connection-errors.ts'
import { DatabaseOverloadedError, LoadLimit, type LoadLimitOptions, type Weight } from './load-limit.ts'
import { openKysely, type SentStatement } from './open-kysely.ts'
import { Connections, createPool, type Pool, type PoolOptions } from './pool.ts'
import { type ReplicaState, ReplicaWatch, UnfitReplicaError } from './replica-watch.ts'
import { type IdentifiedClient, NOT_RECOVERING } from './server-identity.ts'
import type { Tables } from './tables.ts'

export interface ReplicaOptions extends Pick<PoolOptions, 'url' | 'schema' | 'max'> {
  /** Is asked who it is, to compare. HAZARD: loads must not be able to take all of its connections. */
  readonly primary: IdentifiedClient
  /** How long a load may take, once its turn has come, in milliseconds. It waits as long for its turn at most. */
  readonly timeoutMs: number
  /** How many loads run at a time. Default: eight. */
  readonly loads?: LoadLimitOptions | undefined
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
  readonly observer?: ReplicaObserver | undefined
  /** When to probe. Default: the system's. */
  readonly clock?: Clock | undefined
}

export interface ReplicaObserver {
  /** Called at every change. */
  onReplicaState?(state: ReplicaState): void
  /** The primary is asked for what the replica was to load. `busy`: it had too many loads already. */
  onReplicaFallback?(why: 'busy' | 'failed', error: Error): void
}

/**
 * A standby to load from while it is known to be well. A probe in the background finds that out: see `ReplicaWatch`. No load is
 * ever the probe. A load that fails or takes too long is left to the primary, whatever the reason.
 *
 * The replica may lag, because what is read from it is judged by its position. It may not be another database than the primary's.
 * Therefore every new connection is examined, the probe examines one once a second, and each load asks whether the server is
 * still in recovery: nothing is ever read from a standby after it was promoted.
 */
export class Replica {
  readonly #pool: Pool
  readonly #db: Kysely<Tables>
  readonly #connections = new Connections()
  readonly #loads: LoadLimit
  readonly #watch: ReplicaWatch
  readonly #observer: ReplicaObserver
  readonly #silenceMs: number

  constructor({ url, schema, max, primary, timeoutMs, loads, onStatement, observer = {}, clock }: ReplicaOptions) {
    // The server ends a statement that takes too long. If it does not do even that, it hangs.
    this.#silenceMs = timeoutMs + LATE_MS
    this.#observer = observer
    this.#loads = new LoadLimit('read', { concurrent: 8, queued: 1000, ...loads, waitMs: timeoutMs })
    this.#watch = new ReplicaWatch({
      connect: () => this.#makeProber(url),
      primary,
      silenceMs: this.#silenceMs,
      onState: (state) => observer.onReplicaState?.(state),
      onSilence: () => this.#connections.drop(),
      ...(clock && { clock }),
    })
    this.#pool = createPool({
      url,
      ...(schema !== undefined && { schema }),
      max,
      statementTimeoutMs: timeoutMs,
      lateMs: LATE_MS,
      connectTimeoutMs: this.#silenceMs,
      connections: this.#connections,
      examine: (client) => this.#watch.examine(client),
      onError: () => this.#watch.look(),
    })
    this.#db = openKysely(this.#pool, 'replica', onStatement)
  }

  /** Probes it from now on. Until a probe was answered nothing is loaded from it. */
  start(): void {
    this.#watch.start()
  }

  get state(): ReplicaState {
    return this.#watch.state
  }

  /** True while loads are sent to it. */
  get isWell(): boolean {
    return this.#watch.state.is === 'well'
  }

  /**
   * Runs one query. Resolves with undefined if the primary must be asked instead: at once if too many loads wait, otherwise after
   * twice the time-out at most. Never rejects. HAZARD: to a query that finds no row it resolves with undefined, too.
   */
  async load<Row>(query: RawBuilder<Row>, weight: Weight = 'cheap'): Promise<QueryResult<Row> | undefined> {
    try {
      return await this.#loads.run(() => this.#ask(query), weight)
    } catch (cause) {
      const error = cause as Error
      const isBusy = error instanceof DatabaseOverloadedError
      this.#observer.onReplicaFallback?.(isBusy ? 'busy' : 'failed', error)
      // Any other error is the query's: the replica may lack a column that a migration has just made, or cancel a query for its clean-up.
      if (error instanceof ReplicaSilentError || error instanceof UnfitReplicaError || isConnectionError(error)) {
        this.#watch.doubt(error)
      }
      return undefined
    }
  }

  /** Ends its connections, once the loads under way have ended. */
  async stop(): Promise<void> {
    this.#watch.stop()
    await this.#pool.end()
    // A server that hangs does not close its side of a connection.
    this.cut()
  }

  /** Cuts its connections. The loads under way fail, and later ones too. */
  cut(): void {
    this.#connections.cut()
  }

  async #ask<Row>(query: RawBuilder<Row>): Promise<QueryResult<Row> | undefined> {
    // It may have become unwell while this load waited for its turn.
    if (!this.isWell) return undefined
    // The sub-query is run once, on the snapshot's own server: so all of the rows were read from a standby, or there are none.
    const asked = sql<Row>`select loaded.* from (${query}) as loaded where (select pg_is_in_recovery())`
    const result = await inTime(asked.execute(this.#db), this.#silenceMs, () => {
      throw new ReplicaSilentError(this.#silenceMs)
    })
    if (result.rows.length === 0) throw new UnfitReplicaError(NOT_RECOVERING)
    this.#watch.trust()
    return result
  }

  #makeProber(connectionString: string): pg.Client {
    return this.#connections.makeClient({
      connectionString,
      application_name: 'stet probe',
      connectionTimeoutMillis: this.#silenceMs,
      query_timeout: this.#silenceMs,
      keepAlive: true,
    })
  }
}

/** How much later than a statement's time-out the server may say that it has ended the statement. */
const LATE_MS = 100

/** It said nothing in time, not even that a statement took too long. */
class ReplicaSilentError extends Error {
  override readonly name = 'ReplicaSilentError'

  constructor(ms: number) {
    super(`The replica did not answer within ${ms} ms.`)
  }
}
