import { inTime } from '../../kernel/in-time.ts'
import type { Found, ReadRequest, RemoteTier } from './remote-tier.ts'

/**
 * A remote tier that remembers which leases this process holds. A process that stops must give them back, because others wait for them.
 *
 *   open     reads may ask for leases
 *   closing  reads are answered, without leases; `close` waits for the loads that hold one
 *   closed   reads find nothing, and writes are dropped
 */
export class HeldLeases implements RemoteTier {
  readonly #tier: RemoteTier
  /** The key of each lease, by its holder: every load asks as a holder of its own. */
  readonly #held = new Map<string, string>()
  /** Reads under way that may still be granted a lease. */
  #asking = 0
  #state: 'open' | 'closing' | 'closed' = 'open'
  #onIdle = () => {}
  #closed: Promise<void> | undefined

  constructor(tier: RemoteTier) {
    this.#tier = tier
  }

  get wakes(): boolean {
    return this.#tier.wakes
  }

  async read(requests: readonly ReadRequest[]): Promise<readonly Found[]> {
    const state = this.#state
    if (state === 'closed') return requests.map(() => ({ bytes: undefined }))
    if (state === 'closing') return this.#tier.read(requests.map(({ key }) => ({ key })))
    this.#asking++
    try {
      const found = await this.#tier.read(requests)
      for (const [index, { key, lease }] of requests.entries()) {
        if (lease && found[index]?.lease === 'mine') this.#held.set(lease.holder, key)
      }
      // `close` did not wait for this read any longer.
      if (this.#state === 'closed') this.#giveAllBack()
      return found
    } finally {
      this.#asking--
      this.#tellIfIdle()
    }
  }

  write(key: string, bytes: Buffer, ttlMs: number): void {
    if (this.#state !== 'closed') this.#tier.write(key, bytes, ttlMs)
  }

  release(key: string, holder: string): void {
    if (this.#state === 'closed') return
    this.#tier.release(key, holder)
    this.#held.delete(holder)
    this.#tellIfIdle()
  }

  onRelease(key: string, wake: () => void): () => void {
    return this.#tier.onRelease(key, wake)
  }

  flush(): Promise<void> {
    return this.#tier.flush()
  }

  /**
   * Waits at most `withinMs` for the loads that hold a lease, then gives back the leases of the rest. What those loads bring
   * later is not stored. Resolves once the store has been told. A second call waits for the first.
   */
  close(withinMs: number): Promise<void> {
    this.#closed ??= this.#close(withinMs)
    return this.#closed
  }

  async #close(withinMs: number): Promise<void> {
    this.#state = 'closing'
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    this.#tellIfIdle()
    await inTime(idle, withinMs, () => {})
    this.#state = 'closed'
    this.#giveAllBack()
    await this.#tier.flush()
  }

  #giveAllBack(): void {
    for (const [holder, key] of this.#held) this.#tier.release(key, holder)
    this.#held.clear()
  }

  #tellIfIdle(): void {
    if (this.#asking === 0 && this.#held.size === 0) this.#onIdle()
  }
}
