import type { Cache, Entry, Origin, Reader, StaleReason } from '../cache/index.ts'
import type { ExplainedEntry } from './explanation.ts'
import type { Trace } from './trace.ts'

/** An entry that was read, as it was then. */
export interface Read {
  readonly kind: string
  readonly entry: Entry
  readonly origin: Origin
  readonly stale: StaleReason | undefined
}

/** Where an entry came from, and why not from nearer. */
export function explainRead(
  { kind, entry, origin, stale }: Read,
  {
    cache,
    asked,
    trace,
  }: { readonly cache: Cache; readonly asked: Pick<Reader, 'position' | 'bypass'>; readonly trace: Trace },
): ExplainedEntry {
  const story = NEARER[origin].flatMap((tier) => {
    const held = trace.refused.get(`${tier} ${entry.key}`)
    const told = held && cache.find(kind)?.explainJudged(held.entry, held.judgement)
    return told ? [{ why: `${NAMES[tier]} held an older one. ${told.why}`, by: told.by }] : []
  })[0]
  const judged = stale && cache.find(kind)?.explain(entry, asked)
  const by = judged ? judged.by : story?.by
  const nowMs = Date.now()
  return {
    kind,
    key: entry.key,
    tier: origin,
    why: judged ? `${STALE[stale]} ${judged.why}` : (story?.why ?? (asked.bypass ? NO_CACHE : FROM[origin])),
    ...(by && { by }),
    stale: stale ?? null,
    exists: entry.value !== undefined,
    asOf: entry.asOf,
    ageMs: Math.max(0, Math.round(nowMs - entry.storedAtMs)),
    ttlMs: Math.round(entry.staleAtMs - nowMs),
    tags: entry.tags,
  }
}

export const NO_CACHE = 'The request said Cache-Control: no-cache.'

/** Where it is looked for before: what was found there last says most. */
const NEARER = { memory: [], redis: ['memory'], source: ['redis', 'memory'] } as const
const NAMES = { memory: 'Memory', redis: 'Redis' } as const

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
