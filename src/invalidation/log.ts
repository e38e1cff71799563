import type { LogRecord } from '../cache/index.ts'
import type { SqlClient } from './sql.ts'

export interface Tip {
  readonly epoch: string
  /** The log's last position. */
  readonly position: number
  /** When its last record was written. Undefined while it holds none. */
  readonly writtenAtUs: number | undefined
  /** How many records this very call gave their positions: they are the last ones. */
  readonly sequenced: number
  /** These and the one before them, in order, unless they are many. */
  readonly records?: readonly LogRecord[] | undefined
}

/** The log in PostgreSQL: see `migrations/0001_stet.sql`. */
export class Log {
  readonly #primary: SqlClient

  constructor(primary: SqlClient) {
    this.#primary = primary
  }

  /** Gives every committed change a position, and says where the log ends. */
  async sequence(): Promise<Tip> {
    let sequenced = 0
    for (;;) {
      const tip = await this.#sequenceSome()
      sequenced += tip.sequenced
      if (tip.sequenced < BATCH) return { ...tip, sequenced }
    }
  }

  async #sequenceSome(): Promise<Tip> {
    const { rows } = await this.#primary.query<{
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

  /** Records from `position` on, itself included, in order: `limit` at most. */
  async recordsFrom(position: number, limit: number): Promise<LogRecord[]> {
    const { rows } = await this.#primary.query<{ position: string; tags: string[]; written_at_us: string }>(
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

  /** Begins another epoch, unless somebody else has since `present`. */
  async startEpoch(present: string): Promise<void> {
    await this.#primary.query('select stet.start_epoch($1)', [present])
  }

  /** Deletes records that are older than `keepMs` and not among the last `keepRecords`. Returns how many went. */
  async prune(keepRecords: number, keepMs: number): Promise<number> {
    const { rows } = await this.#primary.query<{ pruned: string }>(
      `select stet.prune($1, $2 * interval '1 millisecond') as pruned`,
      [keepRecords, keepMs],
    )
    return Number(rows[0]?.pruned ?? 0)
  }
}

/** How many records `stet.sequence()` appends at most. */
const BATCH = 100_000
