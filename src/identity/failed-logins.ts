import { LRUCache } from 'lru-cache'
import { ClientError } from '../kernel/errors.ts'
import { addressGroup } from './client.ts'

export interface FailedLoginsOptions {
  /** Bad tokens of one address in a window. */
  readonly max: number
  readonly windowMs: number
}

/** Counts the bad tokens that each address sends to this node. */
export class FailedLogins {
  readonly #max: number
  readonly #windowMs: number
  /** Those that were quiet for longest are forgotten, so that a sender of many addresses fills no memory. */
  readonly #counts = new LRUCache<string, { failures: number; readonly endsAtMs: number }>({ max: 10_000 })

  constructor({ max, windowMs }: FailedLoginsOptions) {
    this.#max = max
    this.#windowMs = windowMs
  }

  /** Counts one more. Returns RATE_LIMITED (429) if the address has sent too many in its present window. */
  count(address: string): ClientError | undefined {
    const nowMs = performance.now()
    const group = addressGroup(address)
    const known = this.#counts.get(group)
    const count = known && nowMs < known.endsAtMs ? known : { failures: 0, endsAtMs: nowMs + this.#windowMs }
    count.failures++
    this.#counts.set(group, count)
    if (count.failures <= this.#max) return undefined
    const seconds = Math.max(1, Math.ceil((count.endsAtMs - nowMs) / 1000))
    const message = `Too many requests from this address had a token that is not valid: try again in ${seconds} s.`
    return new ClientError('RATE_LIMITED', message, { status: 429, retryAfterSeconds: seconds })
  }
}
