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
import type { Operation } from '../graphql/operation/index.ts'
import { userIdOf, type Viewer } from '../identity/index.ts'
import { fnv1a } from '../kernel/fnv.ts'
import { isKeptAnswer, type WrittenAnswer } from './written-answer.ts'

/** What running an operation brought. */
export interface Run {
  /** Undefined if the answer is for this request alone: requests that wait for the same make their own. */
  readonly answer: WrittenAnswer | undefined
  /** The next answer under this key will be for one request alone too, whoever asks. HAZARD: what one request does wrong says nothing of the next. */
  readonly isNeverShared?: boolean
  readonly asOf: number
  readonly epoch: string
  readonly tags: readonly CacheTag[]
  /** 0: it is not kept. */
  readonly ttlMs: number
}

/** How to come by an answer: the key it is kept under (see `answerKey`), and what makes it. */
export interface AnswerSource {
  readonly key: string
  /** False: what it brings is not stored. */
  readonly isWorthKeeping: boolean
  run(): Promise<Run>
}

export interface KeptAnswersOptions {
  readonly cache: Cache
  /** Names the code that makes the answers: other code makes other answers. */
  readonly madeBy: string
  /** Whether authors and admins may ask for the same. Otherwise no admin shares answers with others, which would let authors ask for more. */
  readonly adminsShare: boolean
}

/** Answers: entries like any other, whose tags are those of all the entries that went into them. */
export class KeptAnswers {
  readonly #answers: CachedKind<AnswerSource, WrittenAnswer>
  readonly #adminsShare: boolean
  /** Canonical keys by the bytes of a request: these need not be parsed again. Some 130 bytes each, which no tier counts. */
  readonly #canonicalKeys = new LRUCache<string, string>({ max: 2 ** 16 })
  readonly #asked = new AskedLately()
  /** By canonical keys: whether resolvers look at the viewer, if they don't do as with other variables. */
  readonly #exceptions = new LRUCache<string, boolean>({ max: 2 ** 13 })
  /** Keys whose last answer was for one request alone: for a second, because waiting for another such answer is in vain. */
  readonly #unshared = new LRUCache<string, true>({ max: 4096, ttl: 1000 })

  constructor({ cache, madeBy, adminsShare }: KeptAnswersOptions) {
    this.#adminsShare = adminsShare
    this.#answers = cache.kind<AnswerSource, WrittenAnswer>({
      name: 'response',
      // Each answer brings its own, which is shorter.
      ttlMs: DAY_MS,
      // What an operation waits for has time-outs of its own.
      loadTimeout: { hardMs: Number.POSITIVE_INFINITY },
      maxBatch: 1,
      madeOf: [madeBy],
      key: ({ key }) => key,
      tags: () => [RESPONSES],
      load: async ([source]) => {
        if (!source) throw new TypeError('An answer is loaded by itself.')
        const { answer, isNeverShared, asOf, epoch, tags, ttlMs } = await source.run()
        if (isNeverShared) this.#unshared.set(source.key, true)
        return { asOf, epoch, unsettled: false, values: [answer], traits: [{ tags, ttlMs: answer ? ttlMs : 0 }] }
      },
      isValue: isKeptAnswer,
      isLeased: ({ isWorthKeeping }) => isWorthKeeping,
      privacy: (_answer, { key }) => (isForOne(key) ? 'sealed' : 'public'),
    })
  }

  /**
   * What a request with the same bytes was answered with, if memory holds that and it serves. Synchronous: a hit waits for nothing.
   * @param again makes the answer under a key anew, to refresh a stale one in the background
   */
  findPresent(
    rawKey: string,
    { viewer, position }: PresentFor,
    again: (key: string) => Promise<Run>,
  ): Obtained<WrittenAnswer> | undefined {
    const canonicalKey = this.#canonicalKeys.get(rawKey)
    if (canonicalKey === undefined) return undefined
    return (
      this.#getIfPresent(answerKey(canonicalKey, viewer), position, again) ??
      (this.mayShare(viewer) ? this.#getIfPresent(sharedKey(canonicalKey), position, again) : undefined)
    )
  }

  /** Whether the viewer may be given an answer that was made for another one, if no resolver looked at who that is. */
  mayShare({ kind }: Viewer): boolean {
    return kind === 'author' || (kind === 'admin' && this.#adminsShare)
  }

  /** Notes what the bytes of a request mean, once an answer to them is kept. */
  remember(rawKey: string, canonicalKey: string, { key }: Pick<Entry, 'key'>): void {
    if (this.#canonicalKeys.get(rawKey) === canonicalKey) return
    // Cut from the entry's key, which is held anyway, it takes half as much as by itself.
    const start = this.#answers.prefix.length
    this.#canonicalKeys.set(rawKey, key.slice(start, start + canonicalKey.length))
  }

  /** Whether the same was asked before, lately, by any viewer. From the second time on an answer is worth keeping. */
  isAskedAgain(canonicalKey: string): boolean {
    return this.#asked.isAskedAgain(canonicalKey)
  }

  /** Whether no resolver looks at the viewer, as far as that was learnt. */
  ignoresViewer(operation: Operation, canonicalKey: string): boolean {
    return this.#exceptions.get(canonicalKey) ?? operation.learnt.ignoresViewer ?? false
  }

  /** Learns that from an execution. The first one counts for the operation, and each for its variables: they may decide which fields are run. */
  learnWhetherItIgnoresViewer(operation: Operation, canonicalKey: string, ignores: boolean): void {
    operation.learnt.ignoresViewer ??= ignores
    if (operation.learnt.ignoresViewer !== ignores) this.#exceptions.set(canonicalKey, ignores)
    else this.#exceptions.delete(canonicalKey)
  }

  /** True if the last answer under this key was for one request alone, and the next will be. */
  isUnshared(key: string): boolean {
    return this.#unshared.has(key)
  }

  /** What the tiers hold of an answer. Nothing is counted as used. */
  async look(key: string): Promise<{ readonly key: string } & Holdings<WrittenAnswer>> {
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

  /** Why the answer of a run would not be stored. */
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

  /** The answer: kept, being made for another request, or made here. Its value is undefined if it was for one request alone. Rejects as `source.run` does if nothing stale serves instead. */
  async get(
    source: AnswerSource,
    { position, bypass }: Required<Pick<Reader, 'position' | 'bypass'>>,
  ): Promise<Obtained<WrittenAnswer> | undefined> {
    let obtained: Obtained<WrittenAnswer> | undefined
    await this.#answers.get(source, {
      position,
      bypass,
      onRead: (_kind, entry, origin, stale) => {
        obtained = { entry: entry as Obtained<WrittenAnswer>['entry'], origin, ...(stale && { stale }) }
      },
    })
    return obtained
  }

  #getIfPresent(
    key: string,
    position: number,
    again: (key: string) => Promise<Run>,
  ): Obtained<WrittenAnswer> | undefined {
    const reader = new NotingReader(position)
    const entry = this.#answers.getIfPresent({ key, isWorthKeeping: true, run: () => again(key) }, reader)
    return entry?.value && { entry, origin: 'memory', stale: reader.stale }
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

export interface PresentFor {
  readonly viewer: Viewer
  readonly position: number
}

/** Notes whether what it reads is stale. */
class NotingReader implements Reader {
  readonly position: number
  stale: StaleReason | undefined = undefined

  constructor(position: number) {
    this.position = position
  }

  onRead(_kind: string, _entry: Entry, _origin: unknown, stale: StaleReason | undefined): void {
    this.stale = stale
  }
}

/**
 * Which keys were asked for lately, in a table of one megabyte that never grows: each key has one place in it, where the hash of
 * the last such key stands. A key is forgotten when another takes its place; one that shares both is taken for it. So it may
 * only ever decide what is worth its cost.
 */
export class AskedLately {
  readonly #hashes = new Int32Array(PLACES)

  /** Whether `key` was asked for lately. From now on it was. */
  isAskedAgain(key: string): boolean {
    const hash = fnv1a(key)
    const place = hash & (PLACES - 1)
    if (this.#hashes[place] === hash) return true
    this.#hashes[place] = hash
    return false
  }
}

const PLACES = 2 ** 18

/** Every answer depends on it: a record of it drops them all. */
export const RESPONSES: CacheTag = 'responses'

/**
 * Names the answer to an operation for one viewer. HAZARD: viewers with the same key are given the same answer. The scopes are
 * those of Apollo's response cache: all visitors are one; signed-in viewers share an answer if no resolver looked at the viewer;
 * any other answer is for one viewer alone.
 */
export function answerKey(canonicalKey: string, viewer: Viewer): string {
  return viewer.kind === 'visitor' ? canonicalKey : `${canonicalKey}.${viewer.kind}.${userIdOf(viewer) ?? ''}`
}

/** Names the answer that signed-in viewers share. */
export const sharedKey = (canonicalKey: string): string => canonicalKey + SHARED

export const isShared = (key: string): boolean => key.endsWith(SHARED)

/** Whether the key names the answer for one viewer alone. A hash holds no dot. */
const isForOne = (key: string): boolean => key.includes('.') && !isShared(key)

const SHARED = '.signed-in'
