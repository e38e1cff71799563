import type { CacheParts } from './cache-parts.ts'
import type { Entry } from './entry.ts'
import { encodeEntry } from './envelope.ts'
import type { ResolvedKind } from './kind.ts'
import { entryBytes } from './memory-tier.ts'
import { graceMs } from './policy.ts'
import type { RemoteTier } from './remote-tier.ts'
import type { Held } from './s3-fifo.ts'

/** Where entries of one kind are kept: in both tiers, or in one. */
export class Tiers<V> {
  readonly #kind: ResolvedKind<never, V>
  readonly #parts: CacheParts
  readonly #keptInMemory: boolean
  readonly remote: RemoteTier | undefined

  constructor(kind: Pick<ResolvedKind<never, V>, 'name' | 'policy'>, parts: CacheParts) {
    this.#kind = kind as ResolvedKind<never, V>
    this.#parts = parts
    this.#keptInMemory = kind.policy.tiers !== 'redis'
    this.remote = kind.policy.tiers === 'memory' ? undefined : parts.remote
  }

  inMemory(id: string): Entry<V> | undefined {
    // Only this kind writes under its prefix.
    return this.#keptInMemory ? (this.#parts.memory.get(id) as Entry<V> | undefined) : undefined
  }

  /** Where the entry is, for `use`. */
  findInMemory(id: string): Held<Entry<V>> | undefined {
    return this.#keptInMemory ? (this.#parts.memory.find(id) as Held<Entry<V>> | undefined) : undefined
  }

  /** Keeps in memory what came from the remote tier. */
  remember(entry: Entry<V>): void {
    if (this.#keptInMemory) this.#parts.memory.set(entry)
  }

  store(entry: Entry<V>): void {
    const { name, policy } = this.#kind
    const { clock, observer } = this.#parts
    if (Number.isFinite(policy.maxBytes) && entryBytes(entry) > policy.maxBytes) {
      observer.onOversized?.(name)
      return
    }
    if (this.remote) {
      const lifeMs = entry.staleAtMs - clock.now() + graceMs(policy)
      this.remote.write(entry.key, encodeEntry(entry, policy), lifeMs)
    }
    this.remember(entry)
  }
}
