import type { HTTPGraphQLResponse } from '@apollo/server'
import type { LogPlace } from '../cache/index.ts'
import type { Operation } from '../graphql/operation/index.ts'
import type { RequestContext } from '../graphql/resolving/index.ts'
import { isShared } from './kept-answers.ts'

/** What Apollo made of a request. */
export interface Made {
  readonly context: RequestContext
  readonly response: HTTPGraphQLResponse
  /** Where the ledger stood before anything was read. */
  readonly began: LogPlace
}

/** Why a whole answer is not kept, in a word that stays and a sentence that may not. */
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

/** Why no answer to an operation is ever kept, whatever it turns out to be. Undefined where one may be. */
export function whyNeverKept(operation: Operation | undefined): Refusal | undefined {
  if (!operation) return { why: 'no-operation', because: 'What was sent holds no operation that could be run.' }
  if (operation.type !== 'query') return { why: 'mutation', because: `A ${operation.type} is run each time.` }
  if (operation.maxAge > 0) return undefined
  const because = `${operation.decidedBy.maxAge ?? 'It'} has a maxAge of 0: nothing in the schema says for how long it may be kept.`
  return { why: 'max-age-0', because }
}

/** Why this answer is not kept under `key`. Undefined where it may be. */
export function whyNotKept(
  { context: { cacheControl, progress, unsure }, response: { body, status = 200 } }: Made,
  operation: Operation,
  key: string,
): Refusal | undefined {
  if (body.kind !== 'complete' || status !== 200 || cacheControl.isPartial) {
    return { why: 'errors', because: 'Something in it could not be resolved.' }
  }
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

/** For how long an answer may be kept, in milliseconds: the least that the schema, a resolver or an entry in it says. */
export const answerTtlMs = ({ context }: Pick<Made, 'context'>, { maxAge }: Operation): number =>
  Math.min(maxAge * 1000, context.cacheControl.ttlMs)
