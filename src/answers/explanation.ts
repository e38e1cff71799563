import type { EntryExplanation, Origin, RoundTrip, StaleReason, TagWrite } from '../cache/index.ts'
import type { SentStatement } from '../database/index.ts'
import type { Refusal } from './may-be-kept.ts'

/** What an answer to a request with `Stet-Explain: 1` holds as `extensions.stet`. */
export interface Explanation {
  readonly answer: ExplainedAnswer
  /** What went into this answer, which is made anew from its entries. */
  readonly entries: readonly ExplainedEntry[]
  /** What this request began; what others had begun, and it waited for, is theirs. */
  readonly sql: readonly Omit<SentStatement, 'kind'>[]
  /** Pipelines, without what is stored after the answer. */
  readonly redis: readonly RoundTrip[]
  readonly waitedFor: { readonly otherRequests: number; readonly otherNodes: number }
  readonly log: {
    readonly position: number
    readonly epoch: string
    /** Nothing at or before it is remembered here. */
    readonly floor: number
    /** Since this node last found itself at the log's end. */
    readonly unsureForMs: number
    /** The token that was sent. */
    readonly asked: string | null
  }
}

/** Of the answer as a whole: what would have become of it, had nobody asked to have it explained. */
interface ExplainedAnswer {
  readonly operation: string
  /** What the schema says: seconds, for whom, and the field that decides each. */
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
    readonly held: readonly Held[]
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
export type Held = { readonly tier: 'memory' | 'redis' } & (
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
