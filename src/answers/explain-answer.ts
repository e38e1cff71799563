import type { IncomingHttpHeaders } from 'node:http'
import type { HTTPGraphQLResponse } from '@apollo/server'
import type { Cache, Ledger } from '../cache/index.ts'
import { canonicalKeyOf } from '../graphql/operation/index.ts'
import type { Viewer } from '../identity/index.ts'
import type { Follower } from '../invalidation/index.ts'
import { explainRead, type Read } from './explain-read.ts'
import { type Asked, findWhole, keepWhole, policyOf } from './explain-whole.ts'
import type { Explanation } from './explanation.ts'
import { keysFor } from './find-answer.ts'
import type { KeptAnswers } from './kept-answers.ts'
import type { Asking, MakeAnswer, Question } from './make-answer.ts'
import type { Made } from './may-be-kept.ts'
import { Trace } from './trace.ts'

export interface ExplainOptions {
  readonly question: Question
  readonly asking: Asking
  /** The `Stet-As-Of` that was sent. */
  readonly token: string | undefined
}

export interface ExplainerOptions {
  readonly cache: Cache
  readonly ledger: Ledger
  readonly follower: Follower
  /** Undefined: no whole answer is kept. */
  readonly responses: KeptAnswers | undefined
  /** Whether everyone may have answers explained, or admins alone. HAZARD: SQL is shown, and the keys of what others are given. */
  readonly forEveryone: boolean
}

/** Makes answers that say how they came about, and what would have become of them unexplained. They are for this once, and never kept. */
export class Explainer {
  readonly #options: ExplainerOptions

  constructor(options: ExplainerOptions) {
    this.#options = options
  }

  /** True where somebody asks for it who may have it. For anybody else it is a request like any other. */
  isAsked({ 'stet-explain': asked }: IncomingHttpHeaders, viewer: Viewer): boolean {
    return asked === '1' && (this.#options.forEveryone || viewer.kind === 'admin')
  }

  /** Answers a request, and explains the answer in `extensions.stet`. */
  async explain({ question, asking, token }: ExplainOptions, make: MakeAnswer): Promise<Made> {
    const { cache, ledger, follower, responses } = this.#options
    const { viewer, position, bypass } = asking
    const { runnable } = question
    const operation = runnable?.operation
    const keys = runnable && keysFor({ ...runnable, canonicalKey: canonicalKeyOf(runnable) }, viewer)
    const asked: Asked = { operation, key: keys?.key, otherKey: keys?.otherKey, viewer, position, bypass, token }
    // First, and apart: what any other request would have met.
    const found = await findWhole(asked, responses)
    const reads = new Map<string, Read>()
    const trace = new Trace()
    const made = await trace.run(() =>
      make(question, asking, (kind, entry, origin, stale) => {
        // As it is now: whenever it is found to stand, it is as of more.
        reads.set(`${origin} ${entry.key}`, { kind, entry: { ...entry }, origin, stale })
      }),
    )
    const explanation: Explanation = {
      answer: { ...policyOf(asked, responses), found, ...keepWhole(asked, { made, reads: reads.values(), responses }) },
      entries: [...reads.values()].map((read) => explainRead(read, { cache, asked, trace })),
      sql: trace.statements.map(({ text, on, ms }) => ({ text: text.replace(/\s+/g, ' ').trim(), on, ms: round(ms) })),
      redis: trace.roundTrips.map(({ ms, ...trip }) => ({ ...trip, ms: round(ms) })),
      waitedFor: { otherRequests: trace.flightsJoined, otherNodes: trace.leasesAwaited },
      log: {
        position: ledger.seen,
        epoch: ledger.epoch,
        floor: ledger.floor,
        unsureForMs: round(follower.unsureForMs),
        asked: asked.token ?? null,
      },
    }
    return { ...made, response: withExtension(made.response, explanation) }
  }
}

/** Beside what is there: `data`, `errors`, other extensions. */
function withExtension(response: HTTPGraphQLResponse, stet: Explanation): HTTPGraphQLResponse {
  if (response.body.kind !== 'complete' || !response.headers.get('content-type')?.includes('json')) return response
  const answer = JSON.parse(response.body.string) as { readonly extensions?: object }
  const string = `${JSON.stringify({ ...answer, extensions: { ...answer.extensions, stet } })}\n`
  return { ...response, body: { kind: 'complete', string } }
}

/** To microseconds. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000
