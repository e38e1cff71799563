import { LRUCache } from 'lru-cache'
import { FifoQueue } from '../../src/cache/memory/fifo-queue.ts'
import { EvictingMap, ItemOf } from '../../test/models/queue-item.ts'

/** Decides which keys a cache of a certain size would hold. */
interface EvictionPolicy {
  /** True if the key is held. Counts as a use of it. */
  get(key: string): boolean
  /** Adds a key that is not held. */
  set(key: string, bytes: number): void
}

type PolicyMaker = (maxBytes: number, meanBytes: number) => EvictionPolicy

export const policies: Readonly<Record<string, PolicyMaker>> = {
  LRU: (maxBytes) => {
    const cache = new LRUCache<string, true>({ maxSize: maxBytes })
    return { get: (key) => cache.get(key) !== undefined, set: (key, size) => cache.set(key, true, { size }) }
  },
  SIEVE: (maxBytes) => new Sieve(maxBytes),
  'S3-FIFO': (maxBytes) => {
    const cache = new EvictingMap<true>(maxBytes)
    return { get: (key) => cache.get(key) !== undefined, set: (key, bytes) => cache.set(key, true, bytes) }
  },
  'W-TinyLFU': (maxBytes, meanBytes) => new WTinyLfu(maxBytes, Math.ceil(maxBytes / meanBytes)),
}

/**
 * One queue in order of arrival, and a hand that goes from its oldest end to its newest, and evicts the first entry that
 * was not used since the hand was there. Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024.
 */
class Sieve implements EvictionPolicy {
  readonly #maxBytes: number
  readonly #held = new Map<string, Item>()
  readonly #queue = new FifoQueue<Item>()
  #hand: Item | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): boolean {
    const item = this.#held.get(key)
    if (!item) return false
    item.uses = 1
    return true
  }

  set(key: string, bytes: number): void {
    if (bytes > this.#maxBytes) return
    while (this.#queue.bytes + bytes > this.#maxBytes) this.#evict()
    const item = new ItemOf<true>(key, true, bytes)
    this.#held.set(key, item)
    this.#queue.push(item)
  }

  #evict(): void {
    let item = this.#hand ?? this.#queue.oldest
    while (item && item.uses > 0) {
      item.uses = 0
      item = item.newer ?? this.#queue.oldest
    }
    if (!item) return
    this.#hand = item.newer
    this.#queue.remove(item)
    this.#held.delete(item.key)
  }
}

/**
 * A window of 1 % that evicts what was used least recently, and a main part of two segments. What leaves the window is admitted
 * to the main part only if it was asked for more often than all entries that would have to leave. A sketch estimates how often. Einziger, Friedman, Manes, "TinyLFU:
 * A Highly Efficient Cache Admission Policy", ACM TOS 2017; sizes as in Einziger et al., "Lightweight Robust Size Aware
 * Cache Management", ACM TOS 2022 (aggregated victims).
 */
class WTinyLfu implements EvictionPolicy {
  readonly #windowBytes: number
  readonly #mainBytes: number
  readonly #held = new Map<string, Item>()
  readonly #window = new FifoQueue<Item>()
  readonly #probation = new FifoQueue<Item>()
  readonly #protected = new FifoQueue<Item>()
  readonly #sketch: FrequencySketch

  constructor(maxBytes: number, expectedKeys: number) {
    this.#windowBytes = Math.max(maxBytes / 100, 16_384)
    this.#mainBytes = maxBytes - this.#windowBytes
    this.#sketch = new FrequencySketch(expectedKeys)
  }

  get(key: string): boolean {
    this.#sketch.count(key)
    const item = this.#held.get(key)
    if (!item) return false
    const queue = item.queue
    queue?.remove(item)
    if (queue === this.#probation) {
      this.#protected.push(item)
      while (this.#protected.bytes > 0.8 * this.#mainBytes) {
        const demoted = shift(this.#protected)
        if (demoted) this.#probation.push(demoted)
      }
    } else queue?.push(item)
    return true
  }

  set(key: string, bytes: number): void {
    if (bytes > this.#mainBytes) return
    const item = new ItemOf<true>(key, true, bytes)
    this.#held.set(key, item)
    this.#window.push(item)
    while (this.#window.bytes > this.#windowBytes) {
      const candidate = shift(this.#window)
      if (candidate) this.#admit(candidate)
    }
  }

  #admit(candidate: Item): void {
    let missing = this.#probation.bytes + this.#protected.bytes + candidate.bytes - this.#mainBytes
    let seen = 0
    const wanted = this.#sketch.frequency(candidate.key)
    const victims: Item[] = []
    for (let victim = this.#probation.oldest ?? this.#protected.oldest; victim && missing > 0; ) {
      seen += this.#sketch.frequency(victim.key)
      victims.push(victim)
      missing -= victim.bytes
      victim = victim.newer ?? (victim.queue === this.#probation ? this.#protected.oldest : undefined)
    }
    if (victims.length > 0 && seen >= wanted) {
      this.#held.delete(candidate.key)
      return
    }
    for (const victim of victims) {
      victim.queue?.remove(victim)
      this.#held.delete(victim.key)
    }
    this.#probation.push(candidate)
  }
}

/** Estimates how often a key was asked for lately. A key has four counters, of which the smallest counts. All are halved now and then. */
class FrequencySketch {
  readonly #mask: number
  readonly #counters: Uint8Array
  readonly #sampleSize: number
  #counted = 0

  constructor(keys: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(64, keys)))
    this.#mask = width - 1
    this.#counters = new Uint8Array(4 * width)
    this.#sampleSize = 10 * width
  }

  count(key: string): void {
    const hash = hashOf(key)
    for (let row = 0; row < 4; row++) {
      const at = this.#at(hash, row)
      const count = this.#counters[at] ?? 0
      if (count < 15) this.#counters[at] = count + 1
    }
    if (++this.#counted < this.#sampleSize) return
    this.#counted /= 2
    for (let at = 0; at < this.#counters.length; at++) this.#counters[at] = (this.#counters[at] ?? 0) >> 1
  }

  frequency(key: string): number {
    const hash = hashOf(key)
    let least = 15
    for (let row = 0; row < 4; row++) least = Math.min(least, this.#counters[this.#at(hash, row)] ?? 0)
    return least
  }

  #at(hash: number, row: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), SEEDS[row] ?? 1)
    return 4 * ((mixed ^ (mixed >>> 16)) & this.#mask) + row
  }
}

const SEEDS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]

/** FNV-1a. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return hash
}

type Item = ItemOf<true>

function shift(queue: FifoQueue<Item>): Item | undefined {
  const item = queue.oldest
  if (item) queue.remove(item)
  return item
}
