import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnswerFinder, EncodedAnswers, Explainer, KeptAnswers, MakeAnswer } from '../answers/index.ts'
import type { Ledger } from '../cache/index.ts'
import type { Api } from '../graphql/index.ts'
import type { Documents, Operations } from '../graphql/operation/index.ts'
import type { Allowances } from '../graphql/resolving/index.ts'
import type { Authenticator } from '../identity/index.ts'
import type { Follower, TriggerWatch } from '../invalidation/index.ts'
import type { Answered } from '../metrics/index.ts'
import type { CdnPolicy } from './cdn-policy.ts'
import type { Cors } from './cors.ts'
import type { BodyFault, ReadBodyOptions } from './wire.ts'

/** What the road of a request needs. */
export interface RoadOptions {
  readonly api: Api
  readonly operations: Operations
  readonly documents: Documents
  /** Undefined: no answer is kept. */
  readonly kept: KeptAnswers | undefined
  readonly finder: AnswerFinder
  readonly make: MakeAnswer
  readonly encoded: EncodedAnswers
  readonly explainer: Explainer
  readonly authenticator: Authenticator
  /** What each client may spend. Undefined: that is not counted. */
  readonly allowances: Allowances | undefined
  readonly follower: Follower
  readonly triggers: Readonly<Pick<TriggerWatch, 'missesWrites'>>
  readonly ledger: Ledger
  readonly catchUpTimeoutMs: number
  /** For how long to answer while the log can't be read, in milliseconds. 0: for ever. */
  readonly logSilenceMaxMs: number
  /** Says which proxies are believed when they tell where a request came from. */
  readonly trustsProxy: (address: string, hop: number) => boolean
  /** Browsers that open `/graphql` are led to the playground. */
  readonly hasPlayground: boolean
  /** Undefined: only pages of this very origin may call. */
  readonly cors: Cors | undefined
  /** What a cache in front may keep. Undefined: what browsers may. */
  readonly cdn: CdnPolicy | undefined
  readonly onAnswer: (answered: Answered) => void
  readonly bodies: ReadBodyOptions
  /** Of requests without a token. */
  readonly visitorsBodies: ReadBodyOptions
  /** Called if some of a response waits for its client to read. */
  readonly onUnread: (request: IncomingMessage, response: ServerResponse) => void
  /** For how long a client may read nothing of its answer, in milliseconds. */
  readonly unreadMaxMs: number
  readonly onRefused: (why: 'pipelined' | BodyFault) => void
}
