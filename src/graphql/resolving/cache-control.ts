import { type CacheTag, type Entry, withTables } from '../../cache/index.ts'

/** What `@cacheControl` says of a field or a type, or a resolver of its answer. */
export interface CacheHint {
  /** Seconds for which an answer may be kept. 0: not at all. */
  readonly maxAge?: number | undefined
  /** `PRIVATE`: for one viewer alone. */
  readonly scope?: 'PUBLIC' | 'PRIVATE' | undefined
}

/** What is learnt of one answer while it is made: for how long it may be kept, for whom, and what it depends on. */
export class CacheControl {
  readonly #ownTags: CacheTag[] = []
  /** They go in by hundreds: what their tags come to is worked out when it is asked for. */
  readonly #entries: EntryInAnswer[] = []
  #ttlMs = Number.POSITIVE_INFINITY
  /** A resolver looked at who asks: somebody else might be answered otherwise. */
  isPersonal = false
  /** A resolver said that it is for this viewer alone. */
  isPrivate = false
  /** Something in it could not be resolved. */
  isPartial = false
  /** And that is our fault: another time, or from elsewhere, it could. */
  hasFailed = false

  /** The least of all hints counts: what one resolver says no other takes back. */
  setCacheHint({ maxAge, scope }: CacheHint): void {
    if (maxAge !== undefined) this.#ttlMs = Math.min(this.#ttlMs, maxAge * 1000)
    if (scope === 'PRIVATE') this.isPrivate = true
  }

  /** The answer falls whenever one of these is written, whatever else it depends on. */
  cacheTag(...tags: readonly CacheTag[]): void {
    this.#ownTags.push(...tags)
  }

  /** An entry went into the answer, which depends on whatever that does, and lives no longer. */
  onEntry(entry: EntryInAnswer): void {
    this.#entries.push(entry)
    this.#ttlMs = Math.min(this.#ttlMs, entry.staleAtMs - entry.storedAtMs)
  }

  /** What the answer depends on, as far as is known by now: each tag once, with those of the tables. */
  get tags(): readonly CacheTag[] {
    const all = new Set(withTables(this.#ownTags))
    for (const { tags } of this.#entries) for (const tag of tags) all.add(tag)
    return [...all]
  }

  /** For how long the answer may be kept, in milliseconds, as far as is known by now. */
  get ttlMs(): number {
    return this.#ttlMs
  }
}

type EntryInAnswer = Pick<Entry, 'tags' | 'storedAtMs' | 'staleAtMs'>
