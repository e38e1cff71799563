import type { EntryExplanation, Origin, RoundTrip, StaleReason, TagWrite } from '../cache/index.ts'
import type { SentStatement } from '../database/index.ts'
import type { Refusal } from './may-be-kept.ts'

/** What an answer to a request with `Stet-Explain: 1` holds as `extensions.stet`. */
export interface Explanation {
  readonly answer: ExplainedAnswer
  /** What went into this answer, which is made anew from its entries. */
  readonly entries: readonly ExplainedEntry[]
  /** Statements that this request began. Those of others that it waited for are in their own explanations. */
  readonly sql: readonly Omit<SentStatement, 'kind'>[]
  /** Pipelines, without those that store after the answer. */
  readonly redis: readonly RoundTrip[]
  readonly waitedFor: { readonly otherRequests: number; readonly otherNodes: number }
  /** The position that the answer is a snapshot of, and how often it was made until it was one. */
  readonly snapshot: { readonly position: number; readonly made: number }
  readonly log: {
    readonly position: number
    readonly epoch: string
    /** This node remembers nothing at or before it. */
    readonly floor: number
    /** How long since this node last found itself at the log's end. */
    readonly unsureForMs: number
    /** The token that was sent. */
    readonly asked: string | null
  }
}

/** What an answer to a request with `Stet-Explain: 1` holds as `extensions.cost`. */
export interface ExplainedCost {
  /** What the operation costs. Null if it can't be run. */
  readonly price: number | null
  /** What the client may spend now. Null if that is not counted. */
  readonly left: number | null
}

/** What an unexplained request would have met, and what would have become of its answer. */
interface ExplainedAnswer {
  readonly operation: string
  /** What the schema says: maxAge in seconds, the scope, and the field that decides each. */
  readonly policy: {
    readonly maxAge: number
    readonly scope: 'PUBLIC' | 'PRIVATE'
    readonly decidedBy: { readonly maxAge: string | null; readonly scope: string | null }
  } | null
  readonly key: string | null
  readonly sharedBy: 'visitors' | 'signed-in' | 'viewer' | null
  readonly found: {
    readonly in: 'memory' | 'redis' | 'nowhere'
    readonly because: string
    readonly held: readonly HeldAnswer[]
  }
  readonly kept: {
    readonly kept: boolean
    readonly why: 'kept' | Refusal['why']
    readonly because: string
    readonly ttlMs: number
  }
  /** A write of any of these drops it. */
  readonly tags: readonly string[]
}

/** What a tier holds of the answer. */
export type HeldAnswer = { readonly tier: 'memory' | 'redis' } & (
  | EntryExplanation
  | { readonly key: string; readonly standing: 'absent' | 'unreadable' | 'unreachable'; readonly why: string }
)

/** An entry that went into the answer. */
export interface ExplainedEntry {
  readonly kind: string
  readonly key: string
  readonly tier: Origin
  /** Why it came from there. */
  readonly why: string
  /** The last record of the log that felled or softened what a nearer tier held. */
  readonly by?: TagWrite
  readonly stale: StaleReason | null
  /** False: known not to exist. */
  readonly exists: boolean
  readonly asOf: number
  readonly ageMs: number
  readonly ttlMs: number
  readonly tags: readonly string[]
}
