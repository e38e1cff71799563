import type { Cache, Ledger, Reader } from '../cache/index.ts'
import type { Database } from '../database/index.ts'
import type { Api, Runnable } from '../graphql/index.ts'
import type { ApolloRequest } from '../graphql/operation/index.ts'
import { type Allowance, RequestContext } from '../graphql/resolving/index.ts'
import type { Viewer } from '../identity/index.ts'
import type { Follower } from '../invalidation/index.ts'
import type { Made } from './may-be-kept.ts'

/** Who asks, and how this request may be answered. */
export interface Asking {
  readonly viewer: Viewer
  /** The log position that the answer must reflect. */
  readonly position: number
  /** Read through to the database. */
  readonly bypass: boolean
  /** The log can't be read just now: others may have written what this node knows nothing of. */
  readonly unsure: boolean
  readonly requestId: string
  /** Where the request came from. */
  readonly address: string
  /** What its client may spend. Undefined: that is not counted, or the answer is made anew in the background. */
  readonly allowance?: Allowance | undefined
}

/** What is run: the request as Apollo takes it, and its operation if one could be found. */
export interface Question {
  readonly http: ApolloRequest
  readonly runnable: Runnable | undefined
}

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
    const context = new RequestContext({ ...parts, ...asking, onRead, onPriced: asking.allowance?.price })
    return { context, response: await api.answer(http, context, runnable) }
  }
}
