import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/**
 * Names for statements that are sent again and again. Under its name a connection's server keeps a statement read and
 * planned, which takes it longer than to run one that reads a row or writes one.
 *
 * Most statements of a process are a few; those whose length varies with what is asked for are many, and are sent seldom. So
 * a statement has a name once it was sent a few times, and there are no more names than every server can keep.
 */
export class StatementNames {
  readonly #maxNames: number
  readonly #names = new Map<string, string>()
  /** How often each was sent, of those without a name. */
  readonly #sent = new LRUCache<string, number>({ max: 1000 })
  #generation = 0

  constructor({ maxNames = 500 }: { readonly maxNames?: number } = {}) {
    this.#maxNames = maxNames
  }

  /** The name under which a statement is sent now. Undefined: sent without one. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= this.#maxNames) return known
    const sent = (this.#sent.get(text) ?? 0) + 1
    this.#sent.set(text, sent)
    if (sent < TIMES_BEFORE_NAMED) return undefined
    this.#sent.delete(text)
    const name = `stet_${this.#generation}_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
    this.#names.set(text, name)
    return name
  }

  /** What servers keep is out of date: a migration has changed what a statement brings. From now on all have other names. */
  renew(): void {
    this.#generation++
    this.#names.clear()
  }
}

const TIMES_BEFORE_NAMED = 3
