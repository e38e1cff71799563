import type { LogRecord } from '../cache/index.ts'
import { askAgain, type ConnectionPool } from './ask-again.ts'

/**
 * The log of committed changes in PostgreSQL, which `installStet` creates. Methods reject with the client's own errors.
 *
 * @example
 * const log = new Log(new pg.Pool({ connectionString: process.env.DATABASE_URL }))
 * const { position, epoch } = await log.sequence()
 */
export class Log {
  readonly #primary: SqlClient | ConnectionPool
  readonly #options: LogOptions

  constructor(primary: SqlClient | ConnectionPool, options: LogOptions = {}) {
    this.#primary = primary
    this.#options = options
  }

  /** Gives every change that was committed before the call its position, then says where the log ends. */
  async sequence(): Promise<Tip> {
    let sequenced = 0
    for (;;) {
      const tip = await this.#sequenceSome()
      sequenced += tip.sequenced
      if (tip.sequenced < BATCH) return { ...tip, sequenced }
    }
  }

  async #sequenceSome(): Promise<Tip> {
    const { rows } = await this.#ask<{
      epoch: string
      tip: string
      tip_written_at_us: string | null
      sequenced: string
      records: [position: number, tags: string[], writtenAtUs: number][] | null
    }>('select epoch, tip, tip_written_at_us, sequenced, records from stet.sequence()')
    const [row] = rows
    if (!row) throw new Error('stet.sequence() returned no row.')
    return {
      epoch: row.epoch,
      position: Number(row.tip),
      writtenAtUs: row.tip_written_at_us === null ? undefined : Number(row.tip_written_at_us),
      sequenced: Number(row.sequenced),
      records: row.records?.map(([position, tags, writtenAtUs]) => ({ position, tags, writtenAtUs })),
    }
  }

  /** At most `limit` records, in order, from `position` on. The record at `position` is the first of them. */
  async recordsFrom(position: number, limit: number): Promise<LogRecord[]> {
    const { rows } = await this.#ask<{ position: string; tags: string[]; written_at_us: string }>(
      `select position, tags, stet.microseconds(written_at) as written_at_us
         from stet.log where position >= $1 order by position limit $2`,
      [position, limit],
    )
    return rows.map((row) => ({
      position: Number(row.position),
      tags: row.tags,
      writtenAtUs: Number(row.written_at_us),
    }))
  }

  /** Begins another epoch, unless `present` is no longer the log's epoch: then another process has begun one. */
  async startEpoch(present: string): Promise<void> {
    await this.#ask('select stet.start_epoch($1)', [present])
  }

  /** Deletes records that are older than `keepMs` and not among the last `keepRecords`. Returns how many it deleted. */
  async prune(keepRecords: number, keepMs: number): Promise<number> {
    const { rows } = await this.#primary.query<{ pruned: string }>(
      `select stet.prune($1, $2 * interval '1 millisecond') as pruned`,
      [keepRecords, keepMs],
    )
    return Number(rows[0]?.pruned ?? 0)
  }

  /** Every write waits for these answers, so a pool's connection that hangs is not waited for. Each query may be repeated. */
  #ask<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }> {
    const { askAgainMs: afterMs = ASK_AGAIN_MS, onCut } = this.#options
    const primary = this.#primary
    return isPool(primary) ? askAgain(primary, { text, values, afterMs, onCut }) : primary.query(text, values)
  }
}

// A `pg.Client` has `connect`, too, which lends nothing.
const isPool = (primary: SqlClient | ConnectionPool): primary is ConnectionPool => 'totalCount' in primary

/** Far longer than `stet.sequence()` takes where nothing hangs. */
const ASK_AGAIN_MS = 100
/** How many records `stet.sequence()` appends at most. */
const BATCH = 100_000

/**
 * Where the log ends.
 *
 * @example
 * const { position, writtenAtUs = 0 }: Tip = await log.sequence()
 * console.log(`${position}, written at ${new Date(writtenAtUs / 1000).toISOString()}`)
 */
export interface Tip {
  /** Names the history that positions belong to. It changes if the database loses a part of the log, in a fail-over say. */
  readonly epoch: string
  /** The position of the last record. */
  readonly position: number
  /** When the last record was written, in microseconds since the Unix epoch. Undefined if the log is empty. */
  readonly writtenAtUs: number | undefined
  /** How many records got their positions by this call. They are the last ones. */
  readonly sequenced: number
  /** Those records and the one before them, in order. Undefined if they are too many for one answer. */
  readonly records?: readonly LogRecord[] | undefined
}

/**
 * How long the log waits for a connection.
 * @example const log = new Log(pool, { askAgainMs: 200, onCut: () => console.warn('A connection to the log was dead') })
 */
export interface LogOptions {
  /**
   * After how long to ask again on another connection, in milliseconds. Default 100. If the second connection answers, the first is
   * cut. HAZARD: with less than the server takes, each look at the log uses two connections.
   */
  readonly askAgainMs?: number
  /** Called for each connection that was cut, because another one answered sooner. */
  readonly onCut?: (() => void) | undefined
}

/**
 * What the log needs of PostgreSQL. A `pg.Pool` is one. HAZARD: it must lead to the primary.
 * @example const client: SqlClient = new pg.Pool({ connectionString: process.env.DATABASE_URL })
 */
export interface SqlClient {
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
}

/**
 * Deletes old records of the log, again and again. Returns a function that stops it. Several processes may do so at once.
 *
 * A process that has missed more than the log still holds can no longer use anything cached before. So keep more than any process
 * may miss: an hour, say.
 * @example const stop = startPruner({ log, keepRecords: 100_000, keepMs: 3_600_000, onError: console.error })
 */
export function startPruner({ log, keepRecords, keepMs, everyMs = 60_000, onError }: PrunerOptions): () => void {
  const timer = setInterval(() => {
    log.prune(keepRecords, keepMs).catch(onError)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * A record is deleted once it is both older than `keepMs` and not among the last `keepRecords`.
 * @example const options: PrunerOptions = { log, keepRecords: 100_000, keepMs: 3_600_000, onError: console.error }
 */
export interface PrunerOptions {
  readonly log: Log
  readonly keepRecords: number
  /** In milliseconds. */
  readonly keepMs: number
  /** How often to delete, in milliseconds. Default: one minute. */
  readonly everyMs?: number
  /** Gets what the log rejected with. The next attempt comes after `everyMs`. */
  readonly onError: (error: Error) => void
}
