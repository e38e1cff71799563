import type { Cache, Ledger, Obtained, Reader } from '../cache/index.ts'
import type { Database } from '../database/index.ts'
import type { Api, Runnable } from '../graphql/index.ts'
import { type ApolloRequest, canonicalKeyOf, type Operation } from '../graphql/operation/index.ts'
import { RequestContext, type RequestContextOptions } from '../graphql/resolving/index.ts'
import type { Viewer } from '../identity/index.ts'
import type { Follower } from '../invalidation/index.ts'
import { answerKey, type KeptAnswers, type Run, sharedKey } from './kept-answers.ts'
import { decideKeeping, type Keeping, type Made, whyNeverKept } from './may-be-kept.ts'
import type { WrittenAnswer } from './written-answer.ts'

/** Who asks, and how this request may be answered. */
export type Asking = RequestContextOptions

/** What is run: the request as Apollo takes it, and its operation if one could be found. */
export interface Question {
  readonly http: ApolloRequest
  readonly runnable: Runnable | undefined
}

/** An answer, and how it was come by: kept or being made for another request (`obtained`), made for this one (`made`), or both. */
export type Found =
  | { readonly obtained: Obtained<WrittenAnswer>; readonly made?: Made | undefined }
  | { readonly obtained?: undefined; readonly made: Made }

export interface FindOptions {
  readonly question: Question
  readonly asking: Asking
  /** Undefined: a request with the same bytes must be read again. */
  readonly rawKey: string | undefined
  /** Shared caches may stand in front of this request: its answer is worth keeping from the first time on. */
  readonly isCacheable: boolean
  /** False: this request wants its answer kept nowhere. It may be given one that is kept. */
  readonly mayKeep: boolean
}

/** Finds answers among those that are kept, and has the others made. */
export class AnswerFinder {
  readonly #kept: KeptAnswers | undefined
  readonly #make: MakeAnswer

  /** @param kept undefined: no answer is kept */
  constructor(kept: KeptAnswers | undefined, make: MakeAnswer) {
    this.#kept = kept
    this.#make = make
  }

  /** The answer: kept in memory or Redis, being made for another request, or made here. */
  async find({ question, asking, rawKey, isCacheable, mayKeep }: FindOptions): Promise<Found> {
    const kept = this.#kept
    const { runnable } = question
    if (!kept || !runnable || whyNeverKept(runnable.operation)) return { made: await this.#make(question, asking) }
    const canonicalKey = canonicalKeyOf(runnable)
    const key = keyFor({ kept, operation: runnable.operation, canonicalKey }, asking.viewer)
    const isWorthKeeping = mayKeep && (kept.isAskedAgain(canonicalKey) || isCacheable)
    if (kept.isUnshared(key)) return { made: await this.#make(question, asking) }
    let made: Made | undefined
    let isOwn = false
    const run = async () => {
      isOwn = true
      // It may have waited for Redis, as others have that were asked about with it.
      await asking.goOn?.()
      made = await this.#make(question, asking)
      return decided(made, { kept, ...runnable, canonicalKey }, { key, isWorthKeeping })
    }
    const { position, bypass } = asking
    const obtained = await kept.get({ key, isWorthKeeping, run }, { position, bypass }).catch((error) => {
      // What another request was refused for may be its own fault.
      if (isOwn && !(error instanceof FailedRun)) throw error
    })
    const answer = obtained?.entry.value
    if (!obtained || !answer) return { made: made ?? (await this.#make(question, asking)) }
    // Many may have waited for it.
    if (!made && answer.bytes.length > LONG) await asking.goOn?.()
    if (rawKey !== undefined && isWorthKeeping) kept.remember(rawKey, canonicalKey, obtained.entry)
    return { obtained: obtained as Obtained<WrittenAnswer>, made }
  }

  /** Makes a kept answer anew. */
  async makeAgain(key: string, question: Question, asking: Asking): Promise<Run> {
    const kept = this.#kept
    const { runnable } = question
    if (!kept || !runnable) throw new Error('A request that was answered before can no longer be read.')
    const subject = { kept, ...runnable, canonicalKey: canonicalKeyOf(runnable) }
    return decided(await this.#make(question, asking), subject, { key, isWorthKeeping: true })
  }
}

/** What is asked, apart from who asks it. */
interface Subject {
  readonly kept: KeptAnswers
  readonly operation: Operation
  readonly canonicalKey: string
}

/** The keys of an operation's answer for a viewer: where it is kept, and another that the viewer may be answered from. */
export function keysFor(
  subject: Subject,
  viewer: Viewer,
): { readonly key: string; readonly otherKey: string | undefined } {
  const { kept, canonicalKey } = subject
  const key = keyFor(subject, viewer)
  if (!kept.mayShare(viewer)) return { key, otherKey: undefined }
  const own = answerKey(canonicalKey, viewer)
  return { key, otherKey: key === own ? sharedKey(canonicalKey) : own }
}

function keyFor({ kept, operation, canonicalKey }: Subject, viewer: Viewer): string {
  const ignoresViewer = kept.ignoresViewer(operation, canonicalKey)
  const shares = kept.mayShare(viewer) && ignoresViewer && !operation.isPrivate
  return shares ? sharedKey(canonicalKey) : answerKey(canonicalKey, viewer)
}

function decided(made: Made, { kept, operation, canonicalKey }: Subject, keeping: Keeping): Run {
  const { hasFailed, isPersonal, isPartial } = made.context.cacheControl
  // An older answer is better than none: the cache serves one if it holds it.
  if (hasFailed) throw new FailedRun()
  const isExecuted = wasExecuted(made)
  // An answer that is partial, or refused, may have looked at less than the next will.
  if (isExecuted && (isPersonal || !isPartial)) {
    kept.learnWhetherItIgnoresViewer(operation, canonicalKey, !isPersonal)
  }
  const { answer, asOf, epoch, tags, ttlMs, refusal } = decideKeeping(made, operation, keeping)
  // What was stale is being refreshed: the next answer may be kept, and a cache in front be told so.
  const isPassing = refusal?.why === 'stale-parts' || refusal?.why === 'log-silent'
  return { answer, asOf, epoch, tags, ttlMs, isNeverShared: isExecuted && !isPassing && answer === undefined }
}

/** False if the request was refused. HAZARD: what was refused says nothing of others' requests for the same: its variables, its head or its asker may be to blame. */
const wasExecuted = ({ context: { cacheControl, progress }, response: { status = 200 } }: Made): boolean =>
  cacheControl.isPartial ? progress.result?.data !== undefined : status === 200

/** A part of the answer could not be had, through no fault of the request. */
class FailedRun extends Error {}

export interface AnswerMakerOptions {
  readonly api: Api
  readonly cache: Pick<Cache, 'snapshot'>
  readonly database: Database
  readonly follower: Follower
  readonly ledger: Ledger
}

/** Makes an answer: what a query or a field of a mutation shows is one snapshot of the database. */
export type MakeAnswer = (question: Question, asking: Asking, onRead?: Reader['onRead']) => Promise<Made>

export function answerMaker({ api, ...parts }: AnswerMakerOptions): MakeAnswer {
  return async ({ http, runnable }, asking, onRead) => {
    const context = new RequestContext(parts, asking, onRead)
    const response = await api.answer(http, context, runnable)
    // To send megabytes takes as long as to write them.
    if (response.body.kind === 'complete' && response.body.string.length > LONG) await asking.goOn?.()
    return { context, response }
  }
}

/** In characters: a millisecond's work. */
const LONG = 256 * 1024
