import { LRUCache } from 'lru-cache'
import type {
  Cache,
  CachedKind,
  CacheTag,
  Entry,
  EntryExplanation,
  Holdings,
  Obtained,
  Reader,
  StaleReason,
  WhyNotStored,
} from '../cache/index.ts'
import { userIdOf, type Viewer } from '../identity/index.ts'
import { RecentMap } from './recent-map.ts'

/**
 * The finished bytes of an answer, and what its head says. In as few places as can be: what is asked for seldom is in none of
 * the processor's caches, and each place is waited for.
 */
export interface KeptAnswer {
  /** As most are sent it, in one piece: lines of its head that are the same each time, an empty line, its body. */
  readonly bytes: Buffer
  /** Where in them the lines end that name its cache tags, for CDNs: see `surrogateKey`. */
  readonly tagsEnd: number
  /** Where in them the body begins. */
  readonly bodyStart: number
  /** Of the body alone, without quotes. */
  readonly etag: string
  /** Whether everyone who asks may be given it, as far as nobody is signed in. */
  readonly isPublic: boolean
  /** The newest log position that anything in it was read as of. Whoever is shown it is owed that much from then on. */
  readonly newest: number
}

/** What running an operation brought. */
export interface Run {
  /** Undefined where it is for whoever asked, this once, and nobody else. */
  readonly answer: KeptAnswer | undefined
  readonly asOf: number
  readonly epoch: string
  readonly tags: readonly CacheTag[]
  readonly ttlMs: number
}

/** The body alone. */
export const bodyOf = ({ bytes, bodyStart }: KeptAnswer): Buffer => bytes.subarray(bodyStart)

/** An answer that is wanted. */
export interface Wanted {
  /** Whoever asks for the same may be given the same: see `answerKey`. */
  readonly key: string
  run(): Promise<Run>
}

export interface ResponseCacheOptions {
  readonly cache: Cache
  /** Names the code that makes the answers: other code makes others. */
  readonly madeBy: string
}

/** Whole answers: entries like any other, whose tags are all those of the entries that went into them. */
export class ResponseCache {
  readonly #answers: CachedKind<Wanted, KeptAnswer>
  /** By what was sent, byte for byte: what it means, so that nothing need be parsed. */
  readonly #spellings = new RecentMap<string, Known>(2 ** 16)

  /** Keys whose answer was made just now, and may not be kept: for a second each. */
  readonly #unkept = new LRUCache<string, true>({ max: 4096, ttl: 1000 })
  /** Whoever reads just now: a look takes no time, so that one will do for all. */
  readonly #reading: Reading = {
    position: 0,
    stale: undefined,
    onRead: (_kind, _entry, _origin, stale) => {
      this.#reading.stale = stale
    },
  }

  constructor({ cache, madeBy }: ResponseCacheOptions) {
    this.#answers = cache.kind<Wanted, KeptAnswer>({
      name: 'response',
      // Each answer has its own.
      ttlMs: 60_000,
      // What an operation waits for has time-outs of its own.
      loadTimeout: { hardMs: Number.POSITIVE_INFINITY },
      maxBatch: 1,
      madeOf: [madeBy],
      key: ({ key }) => key,
      tags: () => [RESPONSES],
      load: async ([wanted]) => {
        if (!wanted) throw new TypeError('An answer is loaded by itself.')
        const { answer, asOf, epoch, tags, ttlMs } = await wanted.run()
        if (!answer) this.#unkept.set(wanted.key, true)
        return { asOf, epoch, unsettled: false, values: [answer], traits: [{ tags, ttlMs: answer ? ttlMs : 0 }] }
      },
    })
  }

  /** What was last found to be meant by these bytes. */
  knownOf(spelling: string): Known | undefined {
    return this.#spellings.get(spelling)
  }

  learn(spelling: string, meaning: string): void {
    if (this.#spellings.get(spelling)?.meaning === meaning) return
    this.#spellings.set(spelling, { meaning })
  }

  /** The answer, where memory has it and it serves. */
  getIfPresent(wanted: Wanted, reader: Reader): Obtained<KeptAnswer> | undefined {
    this.#reading.position = reader.position ?? 0
    const entry = this.#answers.getIfPresent(wanted, this.#reading)
    return entry && { entry, origin: 'memory', stale: this.#reading.stale }
  }

  /** True where the same was made just now, and not kept: to wait for whoever makes it next would be in vain. */
  isUnkept(key: string): boolean {
    return this.#unkept.has(key)
  }

  /** What the tiers hold of an answer. Nothing is counted as used. */
  async look(key: string): Promise<{ readonly key: string } & Holdings<KeptAnswer>> {
    const id = this.idOf(key)
    return { key: id, ...(await this.#answers.look(id)) }
  }

  /** The whole key of an answer's entry. */
  idOf(key: string): string {
    return this.#answers.keyOf(key)
  }

  explain(entry: Entry, reader: Reader): EntryExplanation {
    return this.#answers.explain(entry, reader)
  }

  /** Why what was run would not be stored. */
  whyNotStored(key: string, { answer, asOf, epoch, tags, ttlMs }: Run): WhyNotStored | undefined {
    return this.#answers.whyNotStored({
      key: this.idOf(key),
      epoch,
      asOf,
      tags: [RESPONSES, ...tags],
      value: answer,
      loadMs: 0,
      storedAtMs: 0,
      staleAtMs: answer ? ttlMs : 0,
    })
  }

  /** The answer: kept, made by somebody who asks for the same just now, or made here. Undefined where that isn't kept. Rejects as `wanted.run` does, where there is nothing stale instead. */
  async get(wanted: Wanted, reader: Reader): Promise<Obtained<KeptAnswer> | undefined> {
    let obtained: Obtained<KeptAnswer> | undefined
    await this.#answers.get(wanted, {
      ...reader,
      onRead: (_kind, entry, origin, stale) => {
        obtained = { entry: entry as Obtained<KeptAnswer>['entry'], origin, ...(stale && { stale }) }
      },
    })
    return obtained
  }
}

/** What was once sent. */
export interface Known {
  /** The same for whatever means the same. */
  readonly meaning: string
}

interface Reading extends Reader {
  position: number
  stale: StaleReason | undefined
}

/** Every answer depends on it: a record of it drops them all. */
export const RESPONSES: CacheTag = 'responses'

/**
 * Names the answer to an operation for one viewer. HAZARD: whoever has the same key is given the same answer. The scopes are
 * those of Apollo's response cache: all visitors are one, the signed-in share what no resolver looked at them for, and
 * everything else is for one viewer alone.
 */
export function answerKey(meaning: string, viewer: Viewer): string {
  return viewer.kind === 'visitor' ? meaning : `${meaning}.${viewer.kind}.${userIdOf(viewer) ?? ''}`
}

/** Names the answer for whoever is signed in. */
export const sharedKey = (meaning: string): string => meaning + SHARED

export const isShared = (key: string): boolean => key.endsWith(SHARED)

const SHARED = '.signed-in'
