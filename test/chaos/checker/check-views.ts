import type { History } from '../history/history.ts'
import type { Timeline } from './timeline.ts'
import type { Violation } from './violation.ts'

/** Has every article the views that were recorded? Those that were answered with an error may have been counted, once each. */
export function checkViews({ events, from }: Pick<History, 'events' | 'from'>, timeline: Timeline): Violation[] {
  const recorded = new Map<number, { acknowledged: number; unsure: number }>()
  for (const event of events) {
    const article = event.is === 'answer' ? event.write?.views : undefined
    if (event.is !== 'answer' || article === undefined) continue
    const counts = recorded.get(article) ?? { acknowledged: 0, unsure: 0 }
    if (!event.error) counts.acknowledged++
    else if (!NEVER_QUEUED.includes(event.error.code)) counts.unsure++
    recorded.set(article, counts)
  }
  return timeline
    .keys()
    .filter((row) => row.startsWith('article_stats:'))
    .flatMap((row): Violation[] => {
      const { acknowledged, unsure } = recorded.get(Number(row.split(':')[1])) ?? { acknowledged: 0, unsure: 0 }
      const periods = timeline.periods(row)
      const before = periods.findLast(({ state, ...period }) => state !== null && period.from <= from)?.state
      const last = periods.findLast(({ state }) => state !== null)?.state
      const counted = Number(last?.views ?? 0) - Number(before?.views ?? 0)
      const says = `${row}: ${counted} were counted; ${acknowledged} were acknowledged, and ${unsure} may have been recorded.`
      if (counted > acknowledged + unsure) return [{ kind: 'view counted twice', message: says, rows: [row] }]
      // An article that is deleted takes along what was not counted yet.
      if (counted < acknowledged && timeline.last(row) !== null)
        return [{ kind: 'lost view', message: says, rows: [row] }]
      return []
    })
}

/** Refused before anything was queued. */
const NEVER_QUEUED: readonly string[] = [
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'NOT_CAUGHT_UP',
  'RATE_LIMITED',
  'UNAUTHENTICATED',
]
