import type { CacheTag, Ledger, LogRecord, Snapshot } from '../../src/cache/index.ts'

/** The PostgreSQL of `migrations/0001_stet.sql` in a few lines: one table, snapshots, a log whose positions follow commits. */
export class TinyDatabase<V> {
  epoch = 'first'
  #losses = 0
  #states: State<V>[] = [{ rows: new Map(), pending: [], log: [] }]

  /** Commits. The write has no position until somebody sequences. Undefined deletes the row. */
  write(key: string, value: V | undefined, tags: readonly CacheTag[] = [`rows:${key}`]): void {
    const { rows, pending, log } = this.#present
    const changed = new Map(rows)
    if (value === undefined) changed.delete(key)
    else changed.set(key, value)
    this.#states.push({ rows: changed, pending: [...pending, tags], log })
  }

  /**
   * Commits several rows at once: a statement for each, so a record for each. `placeOf` says where the next record goes among the
   * pending ones, because ids are not in the order of commits.
   */
  transact(changes: ReadonlyMap<string, V>, placeOf: (pending: number) => number): void {
    const { rows, pending, log } = this.#present
    const ordered = [...pending]
    for (const key of changes.keys()) ordered.splice(placeOf(ordered.length), 0, [`rows:${key}`])
    this.#states.push({ rows: new Map([...rows, ...changes]), pending: ordered, log })
  }

  /** How often something was committed, or given positions. */
  get version(): number {
    return this.#states.length - 1
  }

  /** The rows as they were at a version. */
  rowsAt(version: number): ReadonlyMap<string, V> {
    return this.#states[version]?.rows ?? new Map()
  }

  sequence(): void {
    const { rows, pending, log } = this.#present
    if (pending.length === 0) return
    const moved = pending.map((tags, index) => {
      const position = log.length + index + 1
      return { position, tags, writtenAtUs: position + this.#losses * 1_000_000 }
    })
    this.#states.push({ rows, pending: [], log: [...log, ...moved] })
  }

  /** As a server that follows this many commits behind would answer. */
  snapshot(keys: readonly string[], { behind = 0 } = {}): Snapshot<V> {
    const { rows, pending, log } = this.#states[Math.max(0, this.#states.length - 1 - behind)] ?? this.#present
    return { asOf: log.length, unsettled: pending.length > 0, values: keys.map((key) => rows.get(key)) }
  }

  /** What a process does to keep up. @param upTo how many records have arrived, of all. Default: all of them */
  tell(ledger: Ledger, upTo = this.position): void {
    if (ledger.epoch !== this.epoch) ledger.restart(this.epoch, 0)
    const isWhole = upTo === this.position
    ledger.advance({ epoch: this.epoch, after: 0, records: this.#present.log.slice(0, upTo), isWhole })
  }

  /** As after a failover to a standby that had not received the last `commits`. */
  loseLast(commits: number): void {
    this.#states = this.#states.slice(0, -commits)
    this.#losses++
  }

  get position(): number {
    return this.#present.log.length
  }

  get #present(): State<V> {
    return this.#states.at(-1) ?? { rows: new Map(), pending: [], log: [] }
  }
}

interface State<V> {
  readonly rows: ReadonlyMap<string, V>
  readonly pending: readonly (readonly CacheTag[])[]
  readonly log: readonly LogRecord[]
}
