import { fnv1a } from '../../kernel/fnv.ts'
import type { CacheTag } from './cache-tag.ts'

/**
 * Tells quickly which tags were surely not written lately. Each tag has one of a fixed number of marks, shared with other tags.
 * Each mark holds the last position at which one of its tags was written: a Bloom filter with positions for bits (Bloom,
 * "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970). Whether a tag was written, `TagPositions` tells. All
 * tables share one mark, because every entry depends on one and they are seldom written as a whole.
 *
 * For speed alone: an entry's tags are a dozen strings all over the heap, its marks are one array.
 */
export class TagMarks {
  readonly #lastWritten = new Float64Array(MARKS)
  #lastTable = 0

  /** @param position no smaller than any before */
  set(tag: CacheTag, position: number): void {
    if (isTable(tag)) this.#lastTable = position
    else this.#lastWritten[markOf(tag)] = position
  }

  /** True if none of the tags that have these marks was written after `position`. */
  areOlder(marks: readonly number[], position: number): boolean {
    if (this.#lastTable > position) return false
    for (const mark of marks) if ((this.#lastWritten[mark] ?? 0) > position) return false
    return true
  }
}

/** The numbers of the marks of what an entry depends on, without tables. */
export function marksOf(key: string, tags: readonly CacheTag[]): readonly number[] {
  const marks = [markOf(key)]
  for (const tag of tags) if (!isTable(tag)) marks.push(markOf(tag))
  // A copy has no spare room to grow: there are as many of these arrays as there are entries.
  return marks.slice()
}

/** A tag without a colon names a whole table. */
const isTable = (tag: CacheTag): boolean => !tag.includes(':')

/** The upper bits of the hash are folded onto the lower. */
function markOf(tag: CacheTag): number {
  const hash = fnv1a(tag)
  return (hash ^ (hash >>> 15)) & (MARKS - 1)
}

/** They take 256 KB. */
const MARKS = 2 ** 15
