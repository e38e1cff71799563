import type { Found, ReadRequest, RemoteTier } from '../../src/cache/index.ts'
import { ReleaseWakers } from '../../src/cache/remote/release-wakers.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { ManualClock } from './manual-clock.ts'

/** A remote tier that answers at once, and keeps what it is given. Its clock judges leases only. */
export class TinyRemote implements RemoteTier {
  wakes = true
  readonly stored = new Map<string, { bytes: Buffer; ttlMs: number }>()
  readonly leases = new Map<string, { holder: string; endsAtMs: number }>()
  reads = 0
  failure: Error | undefined
  readonly #clock: Clock
  readonly #wakers = new ReleaseWakers()

  /** Without a clock no lease ends by itself. */
  constructor(clock: Clock = new ManualClock()) {
    this.#clock = clock
  }

  async read(wanted: readonly ReadRequest[]): Promise<readonly Found[]> {
    this.reads++
    if (this.failure) throw this.failure
    return wanted.map((each) => this.#find(each))
  }

  write(key: string, bytes: Buffer, ttlMs: number): void {
    this.stored.set(key, { bytes, ttlMs })
  }

  release(key: string, holder: string): void {
    if (this.#leaseOn(key)?.holder !== holder) return
    this.leases.delete(key)
    this.#wakers.wake(key)
  }

  onRelease(key: string, wake: () => void): () => void {
    return this.#wakers.add(key, wake)
  }

  async flush(): Promise<void> {}

  /** How many keys somebody waits for. */
  get waitedFor(): number {
    return this.#wakers.size
  }

  #find({ key, lease }: ReadRequest): Found {
    const bytes = this.stored.get(key)?.bytes
    if (!lease || (bytes && !lease.evenIfFound)) return { bytes }
    const held = this.#leaseOn(key)
    if (held && held.holder !== lease.holder && held.holder !== lease.from) {
      return { bytes, lease: { holder: held.holder, leftMs: held.endsAtMs - this.#clock.now() } }
    }
    this.leases.set(key, { holder: lease.holder, endsAtMs: this.#clock.now() + lease.ms })
    return { bytes, lease: 'mine' }
  }

  #leaseOn(key: string) {
    const lease = this.leases.get(key)
    return lease && this.#clock.now() < lease.endsAtMs ? lease : undefined
  }
}
