import type { CacheTag } from './cache-tag.ts'

/**
 * The last position of each tag, of as many as fit. In two generations: when the younger is full, the older goes as a
 * whole. Nothing is ever moved or deleted by itself: a Map to which a frequent tag is added anew at each write, so that
 * the oldest stands first, takes longer with every one of them.
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

  /** What was set at or before this position may be forgotten. */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo
  }

  /** How many it holds; one that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
