import type { Cache, Entry, Origin, StaleReason } from '../cache/index.ts'
import type { Trace } from '../request/trace.ts'
import { type Asked, NO_CACHE } from './explain-whole.ts'
import type { ExplainedEntry } from './explanation.ts'

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
  { cache, asked, trace }: { readonly cache: Cache; readonly asked: Asked; readonly trace: Trace },
): ExplainedEntry {
  const story = NEARER[origin].flatMap((tier) => {
    const held = trace.refused.get(`${tier} ${entry.key}`)
    const told = held && cache.find(kind)?.explain(held, { position: asked.position })
    return told ? [{ why: `${NAMES[tier]} held an older one. ${told.why}`, by: told.by }] : []
  })[0]
  const nowMs = Date.now()
  return {
    kind,
    key: entry.key,
    tier: origin,
    why: stale ? STALE[stale] : (story?.why ?? (asked.bypass ? NO_CACHE : FROM[origin])),
    ...(story?.by && { by: story.by }),
    stale: stale ?? null,
    exists: entry.value !== undefined,
    asOf: entry.asOf,
    ageMs: Math.max(0, nowMs - entry.storedAtMs),
    ttlMs: Math.round(entry.staleAtMs - nowMs),
    tags: entry.tags,
  }
}

/** Where it is looked for before: what was found there last says most. */
const NEARER = { memory: [], redis: ['memory'], source: ['redis', 'memory'] } as const
const NAMES = { memory: 'Memory', redis: 'Redis' } as const

const FROM: Readonly<Record<Origin, string>> = {
  memory: 'Memory held it, and it stands.',
  redis: 'Redis held it, and it stands. Memory did not.',
  source: 'No tier held it.',
}

const STALE: Readonly<Record<StaleReason, string>> = {
  revalidating: 'Its time to live is over: it is served while it is refreshed.',
  softened: 'A tag of it was written softly: it is served while it is refreshed.',
  error: 'Its time to live is over, and it could not be loaded.',
  slow: 'Its time to live is over, and it takes long to load.',
}
