import type { CacheTag } from './cache-tag.ts'

/** One committed change, as the log has it. */
export interface LogRecord {
  readonly position: number
  readonly tags: readonly CacheTag[]
  /** When the change was written, by PostgreSQL's clock, in microseconds since the Unix epoch. */
  readonly writtenAtUs: number
}

/** A stretch of the log: the records that follow position `after`, in order, none left out. */
export interface LogStretch {
  readonly epoch: string
  readonly after: number
  readonly records: readonly LogRecord[]
}

/** What the ledger must know of an entry to judge it. */
export interface Judgeable {
  readonly epoch: string
  readonly tags: readonly CacheTag[]
  /** The entry's value is what the database held at this position. Raised whenever the entry is found to stand. */
  asOf: number
}

/**
 * This process's mirror of the log: the last position at which each tag was written, up to `seen`.
 *
 * Gapless: it knows every record in (`floor`, `seen`]. So an entry as of `floor` or later, none of whose tags was
 * written after it was read, is as good as one read now, by a database that stands at `seen`.
 */
export class Ledger {
  readonly #maxTags: number
  /** In the order of positions, oldest first, because a tag is taken out before it is put back. */
  readonly #lastWritten = new Map<CacheTag, number>()
  #epoch = ''
  #seen = 0
  #floor = 0
  #seenWrittenAtUs: number | undefined

  /** @param options.maxTags how many tags to remember (about 150 bytes each); beyond it the oldest go and the floor rises. */
  constructor({ maxTags = 250_000 }: { readonly maxTags?: number } = {}) {
    this.#maxTags = maxTags
  }

  /** The history of the log that positions belong to. Empty until the log is first read. */
  get epoch(): string {
    return this.#epoch
  }

  /** The last position this process knows of. */
  get seen(): number {
    return this.#seen
  }

  /** When the record at `seen` was written: tells whether the log still holds the history that was seen. */
  get seenWrittenAtUs(): number | undefined {
    return this.#seenWrittenAtUs
  }

  /** Records at or before this position are forgotten. */
  get floor(): number {
    return this.#floor
  }

  get size(): number {
    return this.#lastWritten.size
  }

  /**
   * True while nothing that `entry` depends on was written after it was read. One comparison if nothing was written
   * since it was last asked. Before the log is first read nothing stands: who could tell?
   */
  stands(entry: Judgeable): boolean {
    if (entry.epoch !== this.#epoch || this.#epoch === '') return false
    if (entry.asOf >= this.#seen) return true
    if (entry.asOf < this.#floor) return false
    for (const tag of entry.tags) {
      const written = this.#lastWritten.get(tag)
      if (written !== undefined && written > entry.asOf) return false
    }
    entry.asOf = this.#seen
    return true
  }

  /** Applies a stretch of the log. Returns false on a gap or another epoch, changing nothing. NEVER skip ahead: a missed record is a stale answer. */
  advance({ epoch, after, records }: LogStretch): boolean {
    if (epoch !== this.#epoch || after > this.#seen) return false
    if (records.some((record, index) => record.position !== after + index + 1)) return false
    for (const record of records) {
      if (record.position <= this.#seen) continue
      for (const tag of record.tags) {
        this.#lastWritten.delete(tag)
        this.#lastWritten.set(tag, record.position)
      }
      this.#seen = record.position
      this.#seenWrittenAtUs = record.writtenAtUs
    }
    this.#forgetOldest()
    return true
  }

  /** Begins anew at `position`, knowing nothing of what came before: at start, in a new epoch, or where the log was pruned past `seen`. */
  restart(epoch: string, position: number): void {
    this.#lastWritten.clear()
    this.#epoch = epoch
    this.#seen = position
    this.#floor = position
    this.#seenWrittenAtUs = undefined
  }

  #forgetOldest(): void {
    for (const [tag, position] of this.#lastWritten) {
      if (this.#lastWritten.size <= this.#maxTags) return
      this.#lastWritten.delete(tag)
      this.#floor = position
    }
  }
}
