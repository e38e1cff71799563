import { fnv1a } from './fnv.ts'

/**
 * Which keys were asked for lately, in a table of one megabyte that never grows: each key has one place in it, where the hash of
 * the last such key stands. A key is forgotten when another takes its place; one that shares both is taken for it. So it may
 * only ever decide what is worth its cost.
 */
export class AskedLately {
  readonly #hashes = new Int32Array(PLACES)

  /** Whether `key` was asked for lately. From now on it was. */
  isAskedAgain(key: string): boolean {
    const hash = fnv1a(key)
    const place = hash & (PLACES - 1)
    if (this.#hashes[place] === hash) return true
    this.#hashes[place] = hash
    return false
  }
}

const PLACES = 2 ** 18
