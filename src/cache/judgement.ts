import type { Clock } from '../kernel/clock.ts'
import type { Entry } from './entry.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { ResolvedPolicy } from './policy.ts'
import type { Reader, StaleReason } from './reader.ts'

/**
 * What an entry is worth now, to one reader. All but a fallen one stand: nothing they depend on was written since they
 * were read.
 *
 *   fresh       within its time to live: it is served
 *   stale       past its time to live, or softened: it is served while it is loaded anew
 *   lapsed      the same for longer: it is served only if its load fails or is slow
 *   expired     its grace is over: it is not served
 *   superseded  within its grace, but this reader is owed something newer: it is not served
 *   fallen      something it depends on was written after it was read, or may have been: it is not served
 * @example const counts = new Map<Condition, number>()
 */
export type Condition = 'fresh' | 'stale' | 'lapsed' | 'expired' | 'superseded' | 'fallen'

/**
 * One condition, and what brought it about. Few and shared: to judge an entry allocates nothing.
 *
 * @example
 * const onRefused = (kind: string, tier: string, entry: Entry, { is, by }: Judgement) => log.debug({ kind, tier, is, by })
 */
export interface Judgement {
  readonly is: Condition
  /** What ended its freshness. Undefined if it is fresh, or has fallen: then the ledger tells by what. */
  readonly by: 'age' | 'soft write' | undefined
  /** Whether it may be served to this reader, if only because its load fails. */
  readonly isUsable: boolean
}

/** By what the entries of a kind are judged. */
export interface Rules extends Pick<ResolvedPolicy, 'grace'> {
  readonly ledger: Ledger
}

/**
 * The one judgement that reads, refreshes, metrics and explanations share. HAZARD: an entry that stands is marked as good
 * as of now; judge a copy to change nothing.
 */
export function judge(
  entry: Entry,
  nowMs: number,
  { ledger, grace }: Rules,
  reader: Pick<Reader, 'fresh' | 'position'> = {},
): Judgement {
  if (!ledger.stands(entry)) return FALLEN
  const isSoftened = ledger.softenedAt(entry) > 0
  const overdueMs = nowMs - entry.staleAtMs
  if (overdueMs < 0 && !isSoftened) return FRESH
  const because = isSoftened ? BY_SOFT_WRITE : BY_AGE
  // A grace of 0 is none, also for an entry that was softened within its time to live.
  const isStale = grace.staleWhileRevalidateMs > 0 && overdueMs < grace.staleWhileRevalidateMs
  const isLapsed = grace.staleIfErrorMs > 0 && overdueMs < grace.staleIfErrorMs
  if (!isStale && !isLapsed) return because.expired
  // It may have been softened several times, and the ledger knows the last: any position after `asOf` may have been another.
  const mayKnowBetter = isSoftened && (reader.position ?? 0) > entry.asOf
  if (reader.fresh || mayKnowBetter) return because.superseded
  return isStale ? because.stale : because.lapsed
}

/** Why an entry that is `stale` is served, in the word of the metrics and of `Cache-Status`. */
export const whyStale = ({ by }: Judgement): StaleReason => (by === 'soft write' ? 'softened' : 'revalidating')

/** Whether a read shall refresh a fresh entry before it turns stale, by XFetch: see `Policy.earlyRefresh`. */
export function isDueEarly(entry: Entry, nowMs: number, { earlyRefresh, random }: EarlyRefresh): boolean {
  const leftMs = entry.staleAtMs - nowMs
  const gapMs = entry.loadMs * earlyRefresh
  // Beyond that the odds are one in e²⁰: not worth a logarithm at every hit.
  return leftMs < 20 * gapMs && leftMs <= -gapMs * Math.log(1 - random())
}

export interface EarlyRefresh extends Pick<ResolvedPolicy, 'earlyRefresh'> {
  /** From 0 to 1, without 1. */
  readonly random: () => number
}

/**
 * The clock that entries are judged by: `clock`, which calls `onSetBack` as soon as it is read after it was set back by more than
 * a second, before it returns. An entry that was stored before that would seem to live on for as long as the clock was set back.
 *
 * @param onSetBack gets by how much, in milliseconds
 */
export function noticingClock(clock: Clock, onSetBack: (byMs: number) => void): Clock {
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    elapsed: () => clock.elapsed(),
    after: (ms, run) => clock.after(ms, run),
    now: () => {
      const nowMs = clock.now()
      const backMs = lastMs - nowMs
      lastMs = nowMs
      if (backMs > TOLERATED_MS) onSetBack(backMs)
      return nowMs
    },
  }
}

const TOLERATED_MS = 1000

/** Keeps the entry from being refreshed for a second, because its load has just failed. */
export function rest(entry: Entry, nowMs: number): void {
  entry.retryAtMs = nowMs + REST_MS
}

export const isResting = ({ retryAtMs }: Entry, nowMs: number): boolean => retryAtMs !== undefined && nowMs < retryAtMs

const REST_MS = 1000

const judgement = (is: Condition, by?: Judgement['by']): Judgement =>
  Object.freeze({ is, by, isUsable: is === 'fresh' || is === 'stale' || is === 'lapsed' })

const overdue = (by: Judgement['by']) => ({
  stale: judgement('stale', by),
  lapsed: judgement('lapsed', by),
  expired: judgement('expired', by),
  superseded: judgement('superseded', by),
})

const FRESH = judgement('fresh')
const FALLEN = judgement('fallen')
const BY_AGE = overdue('age')
const BY_SOFT_WRITE = overdue('soft write')
