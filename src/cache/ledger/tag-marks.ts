import type { CacheTag } from './cache-tag.ts'

/**
 * Which tags may have been written lately, at a glance. Each tag has one of a fixed number of marks, shared with others, and each
 * mark the last position at which one of its tags was written: a Bloom filter's idea, with positions for bits. It tells for sure
 * that something was not written; whether it was, `TagPositions` tells. Tables, which every entry depends on and which are seldom
 * written as a whole, have one mark together.
 *
 * For speed alone. An entry's tags are a dozen strings in as many corners of the heap, which no cache of the processor
 * holds for an entry that is seldom asked for; its marks are one array.
 */
export class TagMarks {
  readonly #lastWritten = new Float64Array(MARKS)
  #lastTable = 0

  /** @param position no smaller than any before */
  set(tag: CacheTag, position: number): void {
    if (isTable(tag)) this.#lastTable = position
    else this.#lastWritten[markOf(tag)] = position
  }

  /** True where none of the tags that have these marks was written after `position`. */
  areOlder(marks: readonly number[], position: number): boolean {
    if (this.#lastTable > position) return false
    for (const mark of marks) if ((this.#lastWritten[mark] ?? 0) > position) return false
    return true
  }
}

/** The marks of what an entry depends on, but for tables. */
export function marksOf(key: string, tags: readonly CacheTag[]): readonly number[] {
  const marks = [markOf(key)]
  for (const tag of tags) if (!isTable(tag)) marks.push(markOf(tag))
  // Without the room that an array grows by: there are as many of these as there are entries.
  return marks.slice()
}

/** What names neither rows nor an entry. */
const isTable = (tag: CacheTag): boolean => !tag.includes(':')

/** FNV-1a (Fowler, Noll, Vo), its upper bits folded onto the lower. */
function markOf(tag: CacheTag): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < tag.length; index++) hash = Math.imul(hash ^ tag.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> 15)) & (MARKS - 1)
}

/** 256 KB of them. */
const MARKS = 2 ** 15
