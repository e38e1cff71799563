import type { CacheTag } from './cache-tag.ts'

/**
 * Which tags may have been written lately, at a glance. Each tag has one of a fixed number of places, shared with others, and each
 * place the last position at which one of its tags was written: a Bloom filter's idea, with positions for bits. It tells for sure
 * that something was not written; whether it was, `TagPositions` tells. Tables, which every entry depends on and which are seldom
 * written as a whole, have one place together.
 *
 * For speed alone. An entry's tags are a dozen strings in as many corners of the heap, which no cache of the processor
 * holds for an entry that is seldom asked for; its places are one array.
 */
export class TagMarks {
  readonly #lastWritten = new Float64Array(PLACES)
  #lastTable = 0

  /** @param position no smaller than any before */
  set(tag: CacheTag, position: number): void {
    if (isTable(tag)) this.#lastTable = position
    else this.#lastWritten[placeOf(tag)] = position
  }

  /** True where none of the tags that have these places was written after `position`. */
  areOlder(places: readonly number[], position: number): boolean {
    if (this.#lastTable > position) return false
    for (const place of places) if ((this.#lastWritten[place] ?? 0) > position) return false
    return true
  }
}

/** The places of what an entry depends on, but for tables. */
export function placesOf(key: string, tags: readonly CacheTag[]): readonly number[] {
  const places = [placeOf(key)]
  for (const tag of tags) if (!isTable(tag)) places.push(placeOf(tag))
  // Without the room that an array grows by: there are as many of these as there are entries.
  return places.slice()
}

/** What names neither rows nor an entry. */
const isTable = (tag: CacheTag): boolean => !tag.includes(':')

/** FNV-1a (Fowler, Noll, Vo), its upper bits folded onto the lower. */
function placeOf(tag: CacheTag): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < tag.length; index++) hash = Math.imul(hash ^ tag.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> 15)) & (PLACES - 1)
}

/** 256 KB of them. */
const PLACES = 2 ** 15
