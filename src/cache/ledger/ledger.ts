import { ANY_WRITE, type CacheTag, hard, isSoft } from './cache-tag.ts'
import { type Marks, marksOf, TagMarks } from './tag-marks.ts'
import { WrittenTimes } from './written-times.ts'

/**
 * One committed change, as the log has it.
 * @example const record: LogRecord = { position: 17, tags: ['articles:42'], writtenAtUs: Date.now() * 1000 }
 */
export interface LogRecord {
  readonly position: number
  readonly tags: readonly CacheTag[]
  /** When the change was written, by PostgreSQL's clock, in microseconds since the Unix epoch. */
  readonly writtenAtUs: number
}

/**
 * A stretch of the log: the records that follow position `after`, in order, none left out.
 * @example const stretch: LogStretch = { epoch: ledger.epoch, after: 16, records: [record] }
 */
export interface LogStretch {
  readonly epoch: string
  readonly after: number
  /** When the record at `after` was written: a ledger that holds another one there knows another past. Default: not known. */
  readonly afterWrittenAtUs?: number | undefined
  readonly records: readonly LogRecord[]
  /** False: it ends within what one run of the sequencer numbered, and the rest follows. Default: it ends where a run does. */
  readonly isWhole?: boolean
}

/** A place in one history of the log. @example const began: LogPlace = ledger.place */
export interface LogPlace {
  readonly epoch: string
  readonly position: number
}

/** What the ledger must know of an entry to judge it. */
export interface Judgeable {
  /** Counts as one of its tags: by it a purge reaches this one entry. */
  readonly key: string
  readonly epoch: string
  readonly tags: readonly CacheTag[]
  /** The entry's value is what the database held at this position. Raised whenever the entry is found to stand. */
  asOf: number
  /** The ledger's own note, set when it first judges the entry: see `TagMarks`. */
  marks?: Marks | undefined
}

/** The positions from which and up to which the database held a value. @example const span: Span = { from: 12, to: 17 } */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * A record of the log, as far as an entry depends on it.
 * @example const by: TagWrite | undefined = ledger.lastWriteSince(entry)
 */
export interface TagWrite {
  readonly position: number
  readonly tags: readonly CacheTag[]
}

/**
 * This process's mirror of the log: the last position at which each tag was written, up to `seen`.
 *
 * Gapless: it knows every record in (`floor`, `seen`]. So an entry as of `floor` or later, none of whose tags was
 * written after it was read, is as good as one read now, by a database that stands at `seen`.
 *
 * HAZARD: `seen` is always the end of a run of the sequencer. What one run numbers need not have become visible in that
 * order, so at a position within it the database may never have stood.
 *
 * @example
 * const ledger = new Ledger()
 * ledger.restart('5f1e', 16)
 * ledger.advance({ epoch: '5f1e', after: 16, records: [{ position: 17, tags: ['articles:42'], writtenAtUs }] })
 * ledger.seen // 17
 */
export class Ledger {
  readonly #maxTags: number
  #lastWritten: TagPositions
  /** The same for soft writes. */
  #lastSoftened: TagPositions
  /** Both, for a first and quick look. */
  #marks = new TagMarks()
  /** The last records, oldest first: see `recordsSince`. */
  #recent: LogRecord[] = []
  #times = new WrittenTimes(TIMES)
  #epoch = ''
  /** The last record that it holds: beyond `seen` while the rest of a run is still to come. */
  #held = 0
  #seen = 0
  #floor = 0
  #heldWrittenAtUs: number | undefined

  /** @param options.maxTags how many tags to remember (about 150 bytes each); beyond it the oldest go and the floor rises. */
  constructor({ maxTags = 250_000 }: { readonly maxTags?: number } = {}) {
    this.#maxTags = maxTags
    this.#lastWritten = new TagPositions(maxTags)
    this.#lastSoftened = new TagPositions(maxTags)
  }

  /** The history of the log that positions belong to. Empty until the log is first read. */
  get epoch(): string {
    return this.#epoch
  }

  /** The last position up to which this process knows the log. */
  get seen(): number {
    return this.#seen
  }

  /** The last record that it holds, and when that was written: tells whether the log still holds the history that was seen. */
  get lastHeld(): { readonly position: number; readonly writtenAtUs: number | undefined } {
    return { position: this.#held, writtenAtUs: this.#heldWrittenAtUs }
  }

  /** When the record at `position` was written, in microseconds. Undefined if this process does not know, or no longer: it remembers the last 250,000. */
  writtenAtUs(position: number): number | undefined {
    return this.#times.at(position)
  }

  /** Records at or before this position are forgotten. */
  get floor(): number {
    return this.#floor
  }

  /** The epoch, and the last position seen. */
  get place(): LogPlace {
    return { epoch: this.#epoch, position: this.#seen }
  }

  /** How many tags it remembers. */
  get size(): number {
    return this.#lastWritten.size + this.#lastSoftened.size
  }

  /**
   * True while nothing that `entry` depends on was written after it was read. One comparison if nothing was written
   * since the entry was last judged. Nothing stands before the log is first read. An entry that was softened stands.
   * HAZARD: raises `asOf` of an entry that stands; pass a copy to change nothing.
   */
  stands(entry: Judgeable): boolean {
    if (entry.epoch !== this.#epoch || this.#epoch === '') return false
    if (entry.asOf >= this.#held) return true
    if (entry.asOf < this.#floor) return false
    entry.marks ??= marksOf(entry.key, entry.tags)
    if (!this.#marks.areOlder(entry.marks, entry.asOf)) {
      if (lastOf(this.#lastWritten, entry) > 0) return false
      // A softened entry keeps its position: by it the ledger knows that it was softened.
      if (this.softenedAt(entry) > 0) return true
    }
    if (entry.asOf < this.#seen) entry.asOf = this.#seen
    return true
  }

  /**
   * The positions at which the database surely held what `entry` holds: from its last write before it was read, to `seen` if
   * nothing was written since. HAZARD: `entry` must be of this history.
   */
  spanOf({ asOf, key, tags }: Judgeable): Span {
    const written = tags.reduce(
      (last, tag) => Math.max(last, this.#lastWritten.get(tag) ?? 0),
      this.#lastWritten.get(key) ?? 0,
    )
    // Otherwise nobody here knows what was written just before, or just after.
    if (asOf < this.#floor || asOf > this.#held || written > asOf) return { from: asOf, to: asOf }
    return { from: Math.max(written, this.#floor), to: Math.max(asOf, this.#seen) }
  }

  /** True if `entry` is as of a later position of this history. If that is so even after `settle`, the log has no such position. */
  isBehind({ epoch, asOf }: Pick<Judgeable, 'epoch' | 'asOf'>): boolean {
    return epoch === this.#epoch && asOf > this.#seen
  }

  /** The last position after `entry` was read at which something that it depends on was written softly, 0 if nothing was. */
  softenedAt(entry: Judgeable): number {
    return entry.asOf >= this.#held || this.#lastSoftened.size === 0 ? 0 : lastOf(this.#lastSoftened, entry)
  }

  /** The last record after `entry` was read that wrote something it depends on: what felled it, or softened it. Undefined if there is none. */
  lastWriteSince(entry: Judgeable, how: 'hard' | 'soft' = 'hard'): TagWrite | undefined {
    const written = how === 'hard' ? this.#lastWritten : this.#lastSoftened
    const position = lastOf(written, entry)
    if (position === 0) return undefined
    return { position, tags: [...new Set([entry.key, ...entry.tags])].filter((tag) => written.get(tag) === position) }
  }

  /** How many records after `position` hold one of `tags`, hard or soft. Undefined if the ledger does not remember that far back: it keeps the last 1000 records. */
  recordsSince({ epoch, position }: LogPlace, tags: readonly CacheTag[]): number | undefined {
    const first = this.#recent[0]?.position ?? this.#held + 1
    if (epoch !== this.#epoch || position < first - 1) return undefined
    const wanted = new Set(tags)
    let count = 0
    for (let index = this.#recent.length - 1; index >= 0; index--) {
      const record = this.#recent[index]
      if (!record || record.position <= position) break
      if (wanted.has(ANY_WRITE) || record.tags.some((tag) => wanted.has(hard(tag)))) count++
    }
    return count
  }

  /** Applies a stretch of the log. False on a gap, another epoch or another past: nothing changes. NEVER skip ahead: a missed record is a stale answer. */
  advance(stretch: LogStretch): boolean {
    const { epoch, after, records, isWhole = true } = stretch
    if (epoch !== this.#epoch || after > this.#held) return false
    if (records.some((record, index) => record.position !== after + index + 1)) return false
    if (this.#isOfAnotherPast(stretch)) return false
    for (const record of records) {
      if (record.position <= this.#held) continue
      for (const tag of record.tags) {
        const last = isSoft(tag) ? this.#lastSoftened : this.#lastWritten
        last.set(hard(tag), record.position)
        this.#marks.set(hard(tag), record.position)
      }
      this.#recent.push(record)
      this.#times.add(record.position, record.writtenAtUs)
      this.#held = record.position
      this.#heldWrittenAtUs = record.writtenAtUs
    }
    if (isWhole && after + records.length === this.#held) this.#seen = this.#held
    if (this.#recent.length > 2 * RECENT) this.#recent = this.#recent.slice(-RECENT)
    this.#floor = Math.max(this.#floor, this.#lastWritten.forgottenUpTo, this.#lastSoftened.forgottenUpTo)
    return true
  }

  /** Whether another record stands where this ledger's last one does. If that is the same, so are all before it. */
  #isOfAnotherPast({ after, afterWrittenAtUs, records }: LogStretch): boolean {
    const there = after === this.#held ? afterWrittenAtUs : records[this.#held - after - 1]?.writtenAtUs
    return there !== undefined && this.#heldWrittenAtUs !== undefined && there !== this.#heldWrittenAtUs
  }

  /** Begins anew at `position`, knowing nothing of what came before: at start, in a new epoch, or if the log was pruned past `seen`. */
  restart(epoch: string, position: number): void {
    this.#lastWritten = new TagPositions(this.#maxTags)
    this.#lastSoftened = new TagPositions(this.#maxTags)
    this.#marks = new TagMarks()
    this.#recent = []
    this.#times = new WrittenTimes(TIMES)
    this.#epoch = epoch
    this.#held = position
    this.#seen = position
    this.#floor = position
    this.#heldWrittenAtUs = undefined
  }
}

/**
 * The last position of each tag, for as many tags as fit. In two generations: when the younger is full, the older is dropped
 * as a whole. No tag is ever moved or deleted by itself, because a Map slows down with each key that is deleted and added anew.
 */
class TagPositions {
  readonly #tagsInGeneration: number
  #young = new Map<CacheTag, number>()
  #old: ReadonlyMap<CacheTag, number> = new Map()
  #oldUpTo = 0
  #forgottenUpTo = 0
  #last = 0

  constructor(maxTags: number) {
    this.#tagsInGeneration = Math.max(1, Math.floor(maxTags / 2))
  }

  /** @param position no smaller than any before */
  set(tag: CacheTag, position: number): void {
    this.#young.set(tag, position)
    this.#last = position
    if (this.#young.size < this.#tagsInGeneration) return
    this.#forgottenUpTo = this.#oldUpTo
    this.#oldUpTo = position
    this.#old = this.#young
    this.#young = new Map()
  }

  get(tag: CacheTag): number | undefined {
    return tag === ANY_WRITE ? this.#last : (this.#young.get(tag) ?? this.#old.get(tag))
  }

  /** Tags set at or before this position may be forgotten. */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo
  }

  /** How many it holds; one that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}

/** The last position after `entry` was read at which one of its tags was written, 0 if none was. */
function lastOf(written: TagPositions, { asOf, key, tags }: Judgeable): number {
  let last = written.get(key) ?? 0
  for (const tag of tags) {
    const position = written.get(tag)
    if (position !== undefined && position > last) last = position
  }
  return last > asOf ? last : 0
}

const RECENT = 1000
const TIMES = 250_000
