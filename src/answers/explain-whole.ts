import type { Entry } from '../cache/index.ts'
import type { Operation } from '../graphql/operation/index.ts'
import type { Viewer } from '../identity/index.ts'
import { NO_CACHE, type Read } from './explain-read.ts'
import type { Explanation, Held } from './explanation.ts'
import { judge } from './judge.ts'
import { isShared, type KeptAnswers, RESPONSES } from './kept-answers.ts'
import { answerTtlMs, type Made, type Refusal, whyNeverKept, whyNotKept } from './may-be-kept.ts'

/** What is asked, by whom. */
export interface Asked {
  /** Undefined where it can't be told. */
  readonly operation: Operation | undefined
  /** Under which its answer would be kept; another that whoever asks may be answered from. */
  readonly key: string | undefined
  readonly otherKey: string | undefined
  readonly viewer: Viewer
  readonly position: number
  readonly bypass: boolean
  /** The `Stet-As-Of` that was sent. */
  readonly token: string | undefined
}

interface Judging {
  readonly made: Made
  readonly reads: Iterable<Read>
  readonly responses: KeptAnswers | undefined
}

/** What the schema says of the answer as a whole, and what names it. */
export function policyOf(
  { operation, key, viewer }: Asked,
  responses: KeptAnswers | undefined,
): Pick<Explanation['answer'], 'operation' | 'policy' | 'key' | 'sharedBy'> {
  const named = responses && operation && key !== undefined && !whyNeverKept(operation)
  return {
    operation: operation?.type ?? 'none',
    policy: operation
      ? {
          maxAge: operation.maxAge,
          scope: operation.isPrivate ? 'PRIVATE' : 'PUBLIC',
          decidedBy: { maxAge: operation.decidedBy.maxAge ?? null, scope: operation.decidedBy.scope ?? null },
        }
      : null,
    key: named ? responses.idOf(key) : null,
    sharedBy: !named ? null : viewer.kind === 'visitor' ? 'visitors' : isShared(key) ? 'signed-in' : 'viewer',
  }
}

/** Whether the answer is at hand as a whole. What is looked at isn't used up. */
export async function findWhole(
  { operation, key, otherKey, position, bypass }: Asked,
  responses: KeptAnswers | undefined,
): Promise<Explanation['answer']['found']> {
  const never = whyNeverKept(operation) ?? (responses ? undefined : OFF)
  if (never || !responses || key === undefined) return { in: 'nowhere', because: (never ?? OFF).because, held: [] }
  const tell = (tier: Held['tier'], id: string, entry: Entry | 'unreadable' | 'unreachable' | undefined): Held => {
    if (typeof entry === 'object') return { tier, ...responses.explain(entry, { position }) }
    const standing = entry ?? 'absent'
    return { tier, key: id, standing, why: `${NAMES[tier]} ${NOTHING[standing]}.` }
  }
  const other = otherKey === undefined ? undefined : await responses.look(otherKey)
  const own = await responses.look(key)
  const held = [
    ...(other?.memory ? [tell('memory', other.key, other.memory)] : []),
    tell('memory', own.key, own.memory),
    tell('redis', own.key, own.redis),
  ]
  if (bypass) return { in: 'nowhere', because: NO_CACHE, held }
  const served = held.find(({ standing }) => standing === 'standing' || standing === 'stale')
  if (served) return { in: served.tier, because: served.why, held }
  const fallen = held.find(({ standing }) => standing !== 'absent')
  return { in: 'nowhere', because: fallen?.why ?? 'No tier holds it.', held }
}

/** Whether what was made would have been kept, for how long, and what would drop it. */
export function keepWhole(
  { operation, key }: Asked,
  { made, reads, responses }: Judging,
): Pick<Explanation['answer'], 'kept' | 'tags'> {
  const { tags } = made.context.cacheControl
  const refuse = (refusal: Refusal) => ({ kept: { kept: false, ...refusal, ttlMs: 0 }, tags: [...tags] })
  const never = whyNeverKept(operation) ?? (responses ? undefined : OFF)
  if (never || !responses || !operation || key === undefined) return refuse(never ?? OFF)
  const refusal = whyNotKept(made, operation, key)
  if (refusal) return refuse(refusal)
  const whyNotStored = responses.whyNotStored(key, judge(made, operation, { key, isWorthKeeping: true }))
  if (whyNotStored) return refuse(whyNotStored === 'too large' ? TOO_LARGE : OVERTAKEN)
  const ttlMs = Math.round(answerTtlMs(made, operation))
  const because = `It lives for ${ttlMs / 1000} s at most, as ${rulerOf(ttlMs, operation, reads)} does.`
  return { kept: { kept: true, why: 'kept', because, ttlMs }, tags: [RESPONSES, ...tags] }
}

/** What allows it no longer life. */
function rulerOf(ttlMs: number, { maxAge, decidedBy }: Operation, reads: Iterable<Read>): string {
  if (ttlMs >= maxAge * 1000) return decidedBy.maxAge ?? 'the operation'
  for (const { kind, entry } of reads) if (entry.staleAtMs - entry.storedAtMs <= ttlMs + 1) return `the ${kind} in it`
  return 'what a resolver made'
}

const NAMES = { memory: 'Memory', redis: 'Redis' } as const
const NOTHING = {
  absent: 'does not hold it',
  unreadable: 'holds what is no entry',
  unreachable: 'could not be reached',
} as const

const OFF: Refusal = { why: 'responses-off', because: 'CACHE_RESPONSES is off: no whole answer is kept.' }
const TOO_LARGE: Refusal = { why: 'too-large', because: 'It is larger than CACHE_MAX_ENTRY_BYTES.' }
const OVERTAKEN: Refusal = { why: 'overtaken', because: 'Something that it depends on was written while it was made.' }
