import { hash } from 'node:crypto'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Cache, CachedKind, CacheTag } from '../../cache/index.ts'

interface Wanted {
  readonly hash: string
  /** What whoever asks says that it is. */
  readonly text?: string
}

/**
 * Documents by their SHA-256, as clients told them: entries like any other, so what one node was told all know. Nothing
 * remembers that a document is not known: the next request may tell it.
 */
export class PersistedQueries {
  readonly #documents: CachedKind<Wanted, string>
  readonly #allowance = new RateLimiterMemory({ points: MAX_BYTES_AN_HOUR, duration: 60 * 60 })

  constructor(cache: Cache) {
    this.#documents = cache.kind<Wanted, string>({
      name: 'persisted-query',
      ttlMs: TTL_MS,
      // There is no source to load it from again: who wants it longer tells it again.
      grace: { staleWhileRevalidateMs: 0, staleIfErrorMs: 0 },
      earlyRefresh: 0,
      leaseMs: 0,
      key: ({ hash }) => hash,
      tags: () => [DOCUMENTS],
      load: async (all) => ({
        asOf: cache.position,
        unsettled: false,
        values: all.map(({ text }) => text),
        traits: all.map(({ text }) => ({ tags: [], ttlMs: text === undefined ? 0 : TTL_MS })),
      }),
      isValue: (text, wanted) => typeof text === 'string' && hash('sha256', text) === wanted.hash,
      // What a client writes into a document may be as private as what it sends in variables.
      privacy: (text) => (text?.includes('"') ? 'sealed' : 'public'),
    })
  }

  async find(hash: string): Promise<string | undefined> {
    return isHash(hash) ? this.#documents.get({ hash }) : undefined
  }

  /** HAZARD: `hash` must be that of `text`. Resolves once this node knows it, or has decided not to: see the bounds below. */
  async keep(hash: string, text: string): Promise<void> {
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_BYTES) return
    if (!this.#documents.getIfPresent({ hash }) && !(await this.#allows(bytes))) return
    await this.#documents.get({ hash, text }, { bypass: true })
  }

  /** Anybody may tell documents, and make them up: in Redis they are a day's allowance at most. */
  async #allows(bytes: number): Promise<boolean> {
    try {
      await this.#allowance.consume('', bytes)
      return true
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return false
      throw refusal
    }
  }
}

/** Every document depends on it: a record of it drops them all. */
const DOCUMENTS: CacheTag = 'persisted-queries'

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

const TTL_MS = 24 * 60 * 60 * 1000
/** Of one document: about what the number of tokens allows. */
const MAX_BYTES = 64 * 1024
/** Of all that are new to a node. */
const MAX_BYTES_AN_HOUR = 16 * 1024 * 1024
