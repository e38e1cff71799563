import type { Obtained } from '../cache/index.ts'
import type { Runnable } from '../graphql/index.ts'
import { canonicalKeyOf, type Operation } from '../graphql/operation/index.ts'
import type { Viewer } from '../identity/index.ts'
import { answerKey, type KeptAnswers, type Run, sharedKey } from './kept-answers.ts'
import type { Asking, MakeAnswer, Question } from './make-answer.ts'
import { decideKeeping, type Keeping, type Made, whyNeverKept } from './may-be-kept.ts'
import type { WrittenAnswer } from './written-answer.ts'

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
  async find({ question, asking, rawKey, isCacheable }: FindOptions): Promise<Found> {
    const kept = this.#kept
    const { runnable } = question
    if (!kept || !runnable || whyNeverKept(runnable.operation)) return { made: await this.#make(question, asking) }
    const canonicalKey = canonicalKeyOf(runnable)
    const key = keyFor(kept, runnable.operation, canonicalKey, asking.viewer)
    const isWorthKeeping = kept.isAskedAgain(canonicalKey) || isCacheable
    if (kept.isUnshared(key)) return { made: await this.#make(question, asking) }
    let made: Made | undefined
    const run = async () => {
      made = await this.#make(question, asking)
      return decided(made, runnable, { key, isWorthKeeping })
    }
    const { position, bypass } = asking
    const obtained = await kept.get({ key, run }, { position, bypass }).catch(unlessFailed)
    if (!obtained?.entry.value) return { made: made ?? (await this.#make(question, asking)) }
    if (rawKey !== undefined && isWorthKeeping) kept.remember(rawKey, canonicalKey, obtained.entry)
    return { obtained: obtained as Obtained<WrittenAnswer>, made }
  }

  /** Makes a kept answer anew. */
  async makeAgain(key: string, question: Question, asking: Asking): Promise<Run> {
    const { runnable } = question
    if (!runnable) throw new Error('A request that was answered before can no longer be read.')
    return decided(await this.#make(question, asking), runnable, { key, isWorthKeeping: true })
  }
}

/** The keys of an operation's answer for a viewer: where it is kept, and another that the viewer may be answered from. */
export function keysFor(
  kept: KeptAnswers,
  { operation, canonicalKey }: { readonly operation: Operation; readonly canonicalKey: string },
  viewer: Viewer,
): { readonly key: string; readonly otherKey: string | undefined } {
  const key = keyFor(kept, operation, canonicalKey, viewer)
  if (!kept.mayShare(viewer)) return { key, otherKey: undefined }
  const own = answerKey(canonicalKey, viewer)
  return { key, otherKey: key === own ? sharedKey(canonicalKey) : own }
}

function keyFor(kept: KeptAnswers, operation: Operation, canonicalKey: string, viewer: Viewer): string {
  const shares = kept.mayShare(viewer) && operation.ignoresViewer && !operation.isPrivate
  return shares ? sharedKey(canonicalKey) : answerKey(canonicalKey, viewer)
}

function decided(made: Made, { operation }: Runnable, keeping: Keeping) {
  const { hasFailed, isPersonal } = made.context.cacheControl
  // An older answer is better than none: the cache serves one if it holds it.
  if (hasFailed) throw new FailedRun()
  // For the next request for the same.
  operation.ignoresViewer = !isPersonal
  return decideKeeping(made, operation, keeping)
}

/** A part of the answer could not be had, through no fault of the request. */
class FailedRun extends Error {}

function unlessFailed(error: unknown): undefined {
  if (!(error instanceof FailedRun)) throw error
}
