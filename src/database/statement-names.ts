import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/**
 * Names for statements that are sent again and again. PostgreSQL keeps a named statement parsed and planned, for each
 * connection. Without that, a statement of one row is parsed and planned for longer than it runs.
 *
 * A process sends a few statements often, and many seldom: those whose text varies with the request. So a statement gets a name
 * only after it was sent a few times, and the number of names is bounded.
 */
export class StatementNames {
  readonly #maxNames: number
  readonly #names = new Map<string, string>()
  /** How often each statement without a name was sent. */
  readonly #sent = new LRUCache<string, number>({ max: 1000 })
  #generation = 0

  constructor({ maxNames = 500 }: { readonly maxNames?: number } = {}) {
    this.#maxNames = maxNames
  }

  /** The name to send a statement under, or undefined to send it without one. Counts it as sent. */
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

  /** Gives every statement another name. For when a migration changed the columns that a kept statement returns. */
  renew(): void {
    this.#generation++
    this.#names.clear()
  }
}

const TIMES_BEFORE_NAMED = 3
