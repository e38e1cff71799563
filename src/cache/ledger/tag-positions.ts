import type { CacheTag } from './cache-tag.ts'

/**
 * The last position of each tag, for as many tags as fit. In two generations: when the younger is full, the older is dropped
 * as a whole. No tag is ever moved or deleted by itself, because a Map slows down with each key that is deleted and added anew.
 */
export class TagPositions {
  readonly #tagsInGeneration: number
  #young = new Map<CacheTag, number>()
  #old: ReadonlyMap<CacheTag, number> = new Map()
  #oldUpTo = 0
  #forgottenUpTo = 0

  constructor(maxTags: number) {
    this.#tagsInGeneration = Math.max(1, Math.floor(maxTags / 2))
  }

  /** @param position no smaller than any before */
  set(tag: CacheTag, position: number): void {
    this.#young.set(tag, position)
    if (this.#young.size < this.#tagsInGeneration) return
    this.#forgottenUpTo = this.#oldUpTo
    this.#oldUpTo = position
    this.#old = this.#young
    this.#young = new Map()
  }

  get(tag: CacheTag): number | undefined {
    return this.#young.get(tag) ?? this.#old.get(tag)
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
