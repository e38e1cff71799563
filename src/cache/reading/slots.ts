import type { Entry } from '../entry.ts'
import type { ResolvedKind } from '../kind.ts'
import type { MemoryTier } from '../memory/memory-tier.ts'
import type { Slot } from '../memory/s3-fifo.ts'
import type { Reader } from '../reader.ts'
import type { EntryNames } from './entry-names.ts'

/**
 * Finds entries of one kind in memory by their own keys. It remembers where they lie, because to build and look up a whole
 * key takes five times as long as to judge the entry. A slot may be emptied or filled anew by the memory tier at any time.
 */
export class Slots<K, V> {
  readonly #kind: Pick<ResolvedKind<K, V>, 'policy'>
  readonly #memory: MemoryTier
  readonly #names: EntryNames<K>
  /** By number or text, whichever the key is without a detour. */
  readonly #known = new Map<number | string, Slot<Entry<V>>>()

  constructor(kind: Pick<ResolvedKind<K, V>, 'policy'>, memory: MemoryTier, names: EntryNames<K>) {
    this.#kind = kind
    this.#memory = memory
    this.#names = names
  }

  /** The slot that holds the entry of `key`. Counts as no use: see `use`. */
  find(key: K, reader: Reader): Slot<Entry<V>> | undefined {
    const { scope, tiers } = this.#kind.policy
    if (tiers === 'redis') return undefined
    if (scope === 'viewer') return this.#lookUp(this.#names.idOf(key, reader))
    const name = typeof key === 'number' ? key : this.#names.textOf(key)
    const known = this.#known.get(name)
    if (known?.value) return known
    const slot = this.#lookUp(this.#names.idOfText(String(name)))
    if (!slot) return undefined
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(name, slot)
    return slot
  }

  #lookUp(id: string): Slot<Entry<V>> | undefined {
    // Only this kind writes under its prefix.
    return this.#memory.find(id) as Slot<Entry<V>> | undefined
  }
}

const MAX_KNOWN = 65_536
