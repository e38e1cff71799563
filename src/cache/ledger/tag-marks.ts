import { fnv1a } from '../../kernel/fnv.ts'
import { ANY_WRITE, type CacheTag } from './cache-tag.ts'

/**
 * Tells quickly which tags were surely not written lately. Each tag has one of a fixed number of marks, shared with other tags.
 * Each mark holds the last position at which one of its tags was written: a Bloom filter with positions for bits (Bloom,
 * "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970). Whether a tag was written, `TagPositions` tells. All
 * tables share one mark, because every entry depends on one and they are seldom written as a whole.
 *
 * For speed alone: an entry's tags are a dozen strings all over the heap, its marks are one.
 */
export class TagMarks {
  readonly #lastWritten = new Float64Array(MARKS + 1)
  #lastTable = 0

  /** @param position no smaller than any before */
  set(tag: CacheTag, position: number): void {
    if (isTable(tag)) this.#lastTable = position
    else this.#lastWritten[markOf(tag)] = position
    this.#lastWritten[MARK_OF_ANY_WRITE] = position
  }

  /** True if none of the tags that have these marks was written after `position`. */
  areOlder(marks: Marks, position: number): boolean {
    if (this.#lastTable > position) return false
    for (let index = 0; index < marks.length; index++) {
      if ((this.#lastWritten[marks.charCodeAt(index)] ?? 0) > position) return false
    }
    return true
  }
}

/** The numbers of marks, each as a character: an array of them takes four times as much, and each entry has one. */
export type Marks = string

/** The marks of what an entry depends on, without tables. */
export function marksOf(key: string, tags: readonly CacheTag[]): Marks {
  const marks = [markOf(key)]
  for (const tag of tags) {
    if (tag === ANY_WRITE) marks.push(MARK_OF_ANY_WRITE)
    else if (!isTable(tag)) marks.push(markOf(tag))
  }
  return Buffer.from(Uint16Array.from(marks).buffer).toString('utf16le')
}

/** A tag without a colon names a whole table. */
const isTable = (tag: CacheTag): boolean => !tag.includes(':')

/** The upper bits of the hash are folded onto the lower. */
function markOf(tag: CacheTag): number {
  const hash = fnv1a(tag)
  return (hash ^ (hash >>> 15)) & (MARKS - 1)
}

/** They take 256 KB. HAZARD: no more than a character tells apart. */
const MARKS = 2 ** 15
const MARK_OF_ANY_WRITE = MARKS
