import { type CacheTag, type Entry, withTables } from '../../cache/index.ts'

/** How long an answer may be cached and for whom: from `@cacheControl` on a field or type, or from a resolver. */
export interface CacheHint {
  /** In seconds. 0: must not be cached. */
  readonly maxAge?: number | undefined
  /** `PRIVATE`: for this viewer only. */
  readonly scope?: 'PUBLIC' | 'PRIVATE' | undefined
}

/** Collects, while an answer is made, how long it may be cached, for whom, and which cache tags it depends on. */
export class CacheControl {
  readonly #ownTags: CacheTag[] = []
  /** An answer may use hundreds of entries, so their tags and times are only looked at when they are needed. */
  #entries: readonly EntryInAnswer[] = []
  #hintedTtlMs = Number.POSITIVE_INFINITY
  /** A resolver has read the viewer, so another viewer might get another answer. */
  isPersonal = false
  /** A hint with the scope PRIVATE was given: the answer is for this viewer only. */
  isPrivate = false
  /** A field could not be resolved. */
  isPartial = false
  /** A field could not be resolved, and the fault is ours: the same question may succeed later or on another node. */
  hasFailed = false

  /** Adds a hint. It can only shorten the time to live or narrow the scope, never undo an earlier hint. */
  setCacheHint({ maxAge, scope }: CacheHint): void {
    if (maxAge !== undefined) this.#hintedTtlMs = Math.min(this.#hintedTtlMs, maxAge * 1000)
    if (scope === 'PRIVATE') this.isPrivate = true
  }

  /** Makes the answer depend on these tags too: it falls when one of them is written. */
  cacheTag(...tags: readonly CacheTag[]): void {
    this.#ownTags.push(...tags)
  }

  /** Makes the answer depend on entries: on their tags, and with a time to live that is no longer than theirs. */
  onEntries(entries: readonly EntryInAnswer[]): void {
    this.#entries = this.#entries.length === 0 ? entries : [...this.#entries, ...entries]
  }

  /** The tags that the answer depends on as far as it is made, each once, including those of tables. */
  get tags(): readonly CacheTag[] {
    const all = new Set(withTables(this.#ownTags))
    for (const { tags } of this.#entries) for (const tag of tags) all.add(tag)
    return [...all]
  }

  /** For how long the answer may be cached as far as it is made, in milliseconds. */
  get ttlMs(): number {
    return this.#entries.reduce(
      (least, { staleAtMs, storedAtMs }) => Math.min(least, staleAtMs - storedAtMs),
      this.#hintedTtlMs,
    )
  }
}

type EntryInAnswer = Pick<Entry, 'tags' | 'storedAtMs' | 'staleAtMs'>
