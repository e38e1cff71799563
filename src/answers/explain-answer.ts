import type { HTTPGraphQLResponse } from '@apollo/server'
import type { Cache, Entry, Ledger, Origin, StaleReason, WhyNotStored } from '../cache/index.ts'
import { canonicalKeyOf, type Operation } from '../graphql/operation/index.ts'
import type { Viewer } from '../identity/index.ts'
import type { Follower } from '../invalidation/index.ts'
import type { ExplainedCost, ExplainedEntry, Explanation, HeldAnswer } from './explanation.ts'
import { type Asking, keysFor, type MakeAnswer, type Question } from './find-answer.ts'
import { isShared, type KeptAnswers, RESPONSES } from './kept-answers.ts'
import { decideKeeping, type Made, type Refusal, whyNeverKept } from './may-be-kept.ts'
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
  /** Undefined: no answer is kept. */
  readonly responses: KeptAnswers | undefined
  /** Whether everyone may have answers explained, or admins alone. HAZARD: an explanation shows SQL, and keys of other viewers' entries. */
  readonly forEveryone: boolean
}

/** Makes answers that say how they came about, and what would have become of them unexplained. Such an answer is for one request, and never kept. */
export class Explainer {
  readonly #options: ExplainerOptions

  constructor(options: ExplainerOptions) {
    this.#options = options
  }

  /** Whether this viewer may have answers explained. */
  mayAsk(viewer: Viewer): boolean {
    return this.#options.forEveryone || viewer.kind === 'admin'
  }

  /** Answers a request, and explains the answer in `extensions.stet` and `extensions.cost`. */
  async explain({ question, asking, token }: ExplainOptions, make: MakeAnswer): Promise<Made> {
    const { cache, ledger, follower, responses } = this.#options
    const subject = subjectOf(question, asking, responses)
    // First, and apart: what an unexplained request would have met.
    const found = await findAnswer(subject, asking)
    const reads = new Map<string, Read>()
    const trace = new Trace()
    const made = await trace.run(() =>
      make(question, asking, (kind, entry, origin, stale) => {
        // A copy, because the entry's `asOf` is raised whenever it is found to stand.
        reads.set(`${origin} ${entry.key}`, { kind, entry: { ...entry }, origin, stale })
      }),
    )
    const explanation: Explanation = {
      answer: { ...describe(subject, asking.viewer), found, ...explainKeeping(subject, made, reads.values()) },
      entries: [...reads.values()].map((read) => explainRead(read, { cache, asking, trace })),
      sql: trace.statements.map(({ text, on, ms }) => ({ text: text.replace(/\s+/g, ' ').trim(), on, ms: round(ms) })),
      redis: trace.roundTrips.map(({ ms, ...trip }) => ({ ...trip, ms: round(ms) })),
      waitedFor: { otherRequests: trace.flightsJoined, otherNodes: trace.leasesAwaited },
      snapshot: { position: made.context.progress.snapshot.position, made: 1 + trace.madeAgain },
      log: {
        position: ledger.seen,
        epoch: ledger.epoch,
        floor: ledger.floor,
        unsureForMs: round(follower.unsureForMs),
        asked: token ?? null,
      },
    }
    const cost: ExplainedCost = { price: made.context.progress.cost ?? null, left: asking.allowance?.left() ?? null }
    return { ...made, response: withExtensions(made.response, { cost, stet: explanation }) }
  }
}

/** The answer that is explained: its operation, and the keys under which it may be kept, or why it never is. */
type Subject = { readonly operation: Operation | undefined } & (
  | { readonly never: Refusal }
  | {
      readonly never?: undefined
      readonly operation: Operation
      readonly responses: KeptAnswers
      readonly key: string
      /** Another key that the viewer may be answered from. */
      readonly otherKey: string | undefined
    }
)

function subjectOf({ runnable }: Question, { viewer }: Asking, responses: KeptAnswers | undefined): Subject {
  const operation = runnable?.operation
  const never = whyNeverKept(operation)
  if (never || !runnable || !operation || !responses) return { operation, never: never ?? OFF }
  return {
    operation,
    responses,
    ...keysFor({ kept: responses, operation, canonicalKey: canonicalKeyOf(runnable) }, viewer),
  }
}

/** What the schema says of the answer, and its key. */
function describe(
  subject: Subject,
  viewer: Viewer,
): Pick<Explanation['answer'], 'operation' | 'policy' | 'key' | 'sharedBy'> {
  const { operation } = subject
  const policy = operation && {
    maxAge: operation.maxAge,
    scope: operation.isPrivate ? ('PRIVATE' as const) : ('PUBLIC' as const),
    decidedBy: { maxAge: operation.decidedBy.maxAge ?? null, scope: operation.decidedBy.scope ?? null },
  }
  const about = { operation: operation?.type ?? 'none', policy: policy ?? null }
  if (subject.never) return { ...about, key: null, sharedBy: null }
  const { responses, key } = subject
  const sharedBy = viewer.kind === 'visitor' ? 'visitors' : isShared(key) ? 'signed-in' : 'viewer'
  return { ...about, key: responses.idOf(key), sharedBy }
}

/** Whether a tier holds the answer. To look counts as no use. */
async function findAnswer(subject: Subject, { position, bypass }: Asking): Promise<Explanation['answer']['found']> {
  if (subject.never) return { in: 'nowhere', because: subject.never.because, held: [] }
  const { responses, key, otherKey } = subject
  const tell = (
    tier: HeldAnswer['tier'],
    id: string,
    entry: Entry | 'unreadable' | 'unreachable' | undefined,
  ): HeldAnswer => {
    if (typeof entry === 'object') return { tier, ...responses.explain(entry, { position }) }
    const standing = entry ?? 'absent'
    return { tier, key: id, standing, why: `${TIERS[tier]} ${NOTHING[standing]}.` }
  }
  const other = otherKey === undefined ? undefined : await responses.look(otherKey)
  const own = await responses.look(key)
  const held: HeldAnswer[] = [
    ...(other?.memory ? [tell('memory', other.key, other.memory)] : []),
    tell('memory', own.key, own.memory),
    tell('redis', own.key, own.redis),
  ]
  if (bypass) return { in: 'nowhere', because: NO_CACHE, held }
  const served = held.find(({ standing }) => standing === 'standing' || standing === 'stale')
  if (served) return { in: served.tier, because: served.why, held }
  const refused = held.find(({ standing }) => standing !== 'absent')
  return { in: 'nowhere', because: refused?.why ?? 'No tier holds it.', held }
}

/** Whether an unexplained request would have kept the answer, for how long, and which tags would drop it. */
function explainKeeping(
  subject: Subject,
  made: Made,
  reads: Iterable<Read>,
): Pick<Explanation['answer'], 'kept' | 'tags'> {
  const { tags } = made.context.cacheControl
  const refuse = (refusal: Refusal) => ({ kept: { kept: false, ...refusal, ttlMs: 0 }, tags: [...tags] })
  if (subject.never) return refuse(subject.never)
  const { operation, responses, key } = subject
  const decision = decideKeeping(made, operation, { key, isWorthKeeping: true })
  if (decision.refusal) return refuse(decision.refusal)
  const whyNot = responses.whyNotStored(key, decision)
  if (whyNot) return refuse(NOT_STORED[whyNot])
  const ttlMs = Math.round(decision.ttlMs)
  const because = `It lives for ${ttlMs / 1000} s at most, as ${whatLimits(ttlMs, operation, reads)} does.`
  return { kept: { kept: true, why: 'kept', because, ttlMs }, tags: [RESPONSES, ...tags] }
}

/** What allows it no longer life. */
function whatLimits(ttlMs: number, { maxAge, decidedBy }: Operation, reads: Iterable<Read>): string {
  if (ttlMs >= maxAge * 1000) return decidedBy.maxAge ?? 'the operation'
  for (const { kind, entry } of reads) if (entry.staleAtMs - entry.storedAtMs <= ttlMs + 1) return `the ${kind} in it`
  return 'what a resolver made'
}

/** An entry that was read, as it was then. */
interface Read {
  readonly kind: string
  readonly entry: Entry
  readonly origin: Origin
  readonly stale: StaleReason | undefined
}

/** Where an entry came from, and why not from a nearer tier. */
function explainRead(
  { kind, entry, origin, stale }: Read,
  { cache, asking, trace }: { readonly cache: Cache; readonly asking: Asking; readonly trace: Trace },
): ExplainedEntry {
  const nearer = NEARER[origin].flatMap((tier) => {
    const refused = trace.refused.get(`${tier} ${entry.key}`)
    const told = refused && cache.find(kind)?.explainJudged(refused.entry, refused.judgement)
    return told ? [{ why: `${TIERS[tier]} held an older one. ${told.why}`, by: told.by }] : []
  })[0]
  const judged = stale && cache.find(kind)?.explain(entry, asking)
  const by = judged ? judged.by : nearer?.by
  const nowMs = Date.now()
  return {
    kind,
    key: entry.key,
    tier: origin,
    why: judged ? `${STALE[stale]} ${judged.why}` : (nearer?.why ?? (asking.bypass ? NO_CACHE : FROM[origin])),
    ...(by && { by }),
    stale: stale ?? null,
    exists: entry.value !== undefined,
    asOf: entry.asOf,
    ageMs: Math.max(0, Math.round(nowMs - entry.storedAtMs)),
    ttlMs: Math.round(entry.staleAtMs - nowMs),
    tags: entry.tags,
  }
}

/** Adds the explanation beside `data`, `errors` and other extensions. */
function withExtensions(
  response: HTTPGraphQLResponse,
  added: { readonly cost: ExplainedCost; readonly stet: Explanation },
): HTTPGraphQLResponse {
  if (response.body.kind !== 'complete' || !response.headers.get('content-type')?.includes('json')) return response
  const answer = JSON.parse(response.body.string) as { readonly extensions?: object }
  const string = `${JSON.stringify({ ...answer, extensions: { ...answer.extensions, ...added } })}\n`
  return { ...response, body: { kind: 'complete', string } }
}

/** To microseconds. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000

/** The tiers before an origin, the last one first: what it held says most. */
const NEARER = { memory: [], redis: ['memory'], source: ['redis', 'memory'] } as const
const TIERS = { memory: 'Memory', redis: 'Redis' } as const
const NO_CACHE = 'The request said Cache-Control: no-cache or max-age=0.'

const NOTHING = {
  absent: 'does not hold it',
  unreadable: 'holds what is no entry',
  unreachable: 'could not be reached',
} as const

const FROM: Readonly<Record<Origin, string>> = {
  memory: 'Memory held it, and it stands.',
  redis: 'Redis held it, and it stands. Memory did not.',
  source: 'No tier held it.',
}

const STALE: Readonly<Record<StaleReason, string>> = {
  revalidating: 'It was served, and is being refreshed.',
  softened: 'It was served, and is being refreshed.',
  error: 'It was served since it could not be loaded.',
  slow: 'It was served since it takes long to load.',
}

const OFF: Refusal = { why: 'responses-off', because: 'CACHE_RESPONSES is off: no whole answer is kept.' }

const NOT_STORED: Readonly<Record<WhyNotStored, Refusal>> = {
  'no-life': { why: 'max-age-0', because: 'Nothing in it may be kept for any time.' },
  overtaken: { why: 'overtaken', because: 'Something that it depends on was written while it was made.' },
  'too-large': { why: 'too-large', because: 'It is larger than CACHE_MAX_ENTRY_BYTES.' },
}
