import type { HTTPGraphQLResponse } from '@apollo/server'
import { ANY_WRITE } from '../cache/index.ts'
import type { Operation } from '../graphql/operation/index.ts'
import type { RequestContext } from '../graphql/resolving/index.ts'
import { isShared, RESPONSES, type Run } from './kept-answers.ts'
import { writeKept, writeOnce } from './written-answer.ts'

/** What Apollo made of a request. */
export interface Made {
  readonly context: RequestContext
  readonly response: HTTPGraphQLResponse
}

/** Why an answer is not kept: a word that tools may rely on, and a sentence for people. */
export interface Refusal {
  readonly why:
    | 'no-operation'
    | 'mutation'
    | 'max-age-0'
    | 'responses-off'
    | 'errors'
    | 'stale-parts'
    | 'log-silent'
    | 'personal'
    | 'private'
    | 'overtaken'
    | 'too-large'
  readonly because: string
}

/** Why no answer to an operation is ever kept, whatever it turns out to be. Undefined if one may be. */
export function whyNeverKept(operation: Operation | undefined): Refusal | undefined {
  if (!operation) return { why: 'no-operation', because: 'What was sent holds no operation that could be run.' }
  if (operation.type !== 'query') return { why: 'mutation', because: `A ${operation.type} is run each time.` }
  if (operation.maxAge > 0) return undefined
  const because = `${operation.decidedBy.maxAge ?? 'It'} has a maxAge of 0: nothing in the schema says for how long it may be kept.`
  return { why: 'max-age-0', because }
}

/** Under which key an answer is kept, and whether it is worth keeping: see `KeptAnswers.isAskedAgain`. */
export interface Keeping {
  readonly key: string
  readonly isWorthKeeping: boolean
}

/** A run, and why its answer is not kept. */
export interface Decision extends Run {
  /** Undefined if it may be kept. */
  readonly refusal: Refusal | undefined
}

/**
 * Decides whether the answer that was made may be kept, for whom and for how long. The road and explanations share this one
 * decision. An answer that may be kept but isn't worth it yet still serves the requests that wait for it.
 */
export function decideKeeping(made: Made, operation: Operation, { key, isWorthKeeping }: Keeping): Decision {
  const { cacheControl, unmarkedViewer, progress } = made.context
  const { body } = made.response
  const { position: asOf, epoch } = progress.snapshot
  const refusal = whyNotKept(made, operation, key)
  if (refusal || body.kind !== 'complete') {
    return { answer: undefined, asOf, epoch, tags: [], ttlMs: 0, refusal: refusal ?? FAILED }
  }
  // HAZARD: requests that waited for this one take it only if it stands for them. To gather its tags takes a tenth of the time
  // that it took to make: `npm run bench -- peers --workloads cold`.
  if (!isWorthKeeping) return { answer: writeOnce(body.string), asOf, epoch, tags: [ANY_WRITE], ttlMs: 0, refusal }
  const { tags, ttlMs } = cacheControl
  const isPrivate = operation.isPrivate || cacheControl.isPrivate
  const isPublic = !isPrivate && (isShared(key) || unmarkedViewer.kind === 'visitor')
  const answer = writeKept(body.string, isPublic ? [RESPONSES, ...tags] : undefined)
  // The least that the schema, a resolver or an entry in it says.
  return { answer, asOf, epoch, tags, ttlMs: Math.min(operation.maxAge * 1000, ttlMs), refusal }
}

/** Why this answer is not kept under `key`. Undefined if it may be. */
function whyNotKept(
  { context: { cacheControl, progress, unsure }, response: { body, status = 200 } }: Made,
  operation: Operation,
  key: string,
): Refusal | undefined {
  if (body.kind !== 'complete' || status !== 200 || cacheControl.isPartial) return FAILED
  if (cacheControl.ttlMs <= 0) return { why: 'max-age-0', because: 'A resolver said that it may not be kept.' }
  if (progress.read.stale > 0) {
    const because = `${progress.read.stale} of its entries were stale: it may be out of date, and would be the longer so.`
    return { why: 'stale-parts', because }
  }
  if (unsure) {
    return {
      why: 'log-silent',
      because: 'The log can not be read just now, so nobody knows what was written meanwhile.',
    }
  }
  // Its key says that it is for everyone who is signed in.
  if (!isShared(key)) return undefined
  if (cacheControl.isPersonal) {
    const because =
      'A resolver looked at who asks, under a key that all share who are signed in. The next one gets another.'
    return { why: 'personal', because }
  }
  if (operation.isPrivate || cacheControl.isPrivate) {
    const who = operation.decidedBy.scope ?? 'A resolver'
    return { why: 'private', because: `${who} is for one viewer alone, under a key that all share who are signed in.` }
  }
  return undefined
}

const FAILED: Refusal = { why: 'errors', because: 'Something in it could not be resolved.' }
