import { inTime } from '../../kernel/in-time.ts'
import type { Found, ReadRequest, RemoteTier } from './remote-tier.ts'

/**
 * A remote tier that knows which leases this process has: whoever stops must give them back, lest others wait in vain.
 *
 *   open     it is asked for entries and leases
 *   closing  no more leases: it waits for the loads that have one
 *   closed   nothing is asked for any more, and nothing kept
 */
export class HeldLeases implements RemoteTier {
  readonly #tier: RemoteTier
  /** Keys, by the holder that this process is for each. */
  readonly #held = new Map<string, string>()
  #asking = 0
  #state: { readonly is: 'open' | 'closed' } | { readonly is: 'closing'; done(): void } = { is: 'open' }

  constructor(tier: RemoteTier) {
    this.#tier = tier
  }

  get wakes(): boolean {
    return this.#tier.wakes
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly Found[]> {
    if (this.#state.is === 'closed') return requests.map(() => ({ bytes: undefined }))
    if (this.#state.is === 'closing') return this.#tier.read(requests.map(({ key }) => ({ key })))
    this.#asking++
    try {
      const found = await this.#tier.read(requests)
      for (const [index, { key, lease }] of requests.entries()) {
        if (lease && found[index]?.lease === 'mine') this.#held.set(lease.holder, key)
      }
      return found
    } finally {
      this.#asking--
      this.#endIfIdle()
    }
  }

  write(key: string, bytes: Buffer, ttlMs: number): void {
    if (this.#state.is !== 'closed') this.#tier.write(key, bytes, ttlMs)
  }

  release(key: string, holder: string): void {
    if (this.#state.is === 'closed') return
    this.#tier.release(key, holder)
    this.#held.delete(holder)
    this.#endIfIdle()
  }

  onRelease(key: string, wake: () => void): () => void {
    return this.#tier.onRelease(key, wake)
  }

  /** Waits for all loads that have a lease, but so long at most, and gives back the leases of the rest: what those bring goes nowhere. */
  async close(withinMs: number): Promise<void> {
    const idle = new Promise<void>((done) => {
      this.#state = { is: 'closing', done }
    })
    this.#endIfIdle()
    await inTime(idle, withinMs, () => {})
    for (const [holder, key] of this.#held) this.#tier.release(key, holder)
    this.#held.clear()
    this.#state = { is: 'closed' }
  }

  #endIfIdle(): void {
    if (this.#state.is === 'closing' && this.#asking === 0 && this.#held.size === 0) this.#state.done()
  }
}
