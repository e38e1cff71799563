import { isDeepStrictEqual } from 'node:util'
import { canSee, type Observation, type RowState, type Selection, type Viewer } from '../history/history.ts'
import { meets, type Period, type Timeline, type Window } from './timeline.ts'
import type { Violation, ViolationKind } from './violation.ts'

/** One thing that an answer says, and how old it may be. */
export interface Claim<O extends Observation = Observation> {
  readonly observation: O
  readonly viewer: Viewer
  readonly window: Window
  /** Why the window begins where it does. */
  readonly floors: { readonly token: number; readonly node: number }
  /** The state of the row that the client has seen before. */
  readonly least: number
}

export interface Finding {
  readonly violation?: Violation
  /** The oldest state of the row that the claim may be about. */
  readonly index?: number
}

type ClaimOf<Kind extends Observation['of']> = Claim<Extract<Observation, { of: Kind }>>

/** Is there a position in the window at which what is claimed was so? */
export function checkObservation(claim: Claim, timeline: Timeline): Finding {
  const { observation } = claim
  switch (observation.of) {
    case 'row':
      return checkRow({ ...claim, observation }, timeline)
    case 'list':
      return { violation: checkList({ ...claim, observation }, timeline) }
    case 'count':
      return { violation: checkCount({ ...claim, observation }, timeline) }
    case 'name':
      return { violation: checkName({ ...claim, observation }, timeline) }
    default:
      return observation satisfies never
  }
}

function checkRow({ observation, viewer, window, floors, least }: ClaimOf<'row'>, timeline: Timeline): Finding {
  const { row, state } = observation
  const matching = timeline.periods(row).filter((period) => period.from < period.to && says(viewer, row, state, period))
  const current = matching.filter((period) => meets(period, window))
  const right = current.find(({ index }) => index >= least)
  if (right) return { index: right.index }
  const told = (kind: ViolationKind, message: string): Finding => ({
    violation: { kind, message: `${row}: ${message}. It was shown ${JSON.stringify(state)}.`, rows: [row] },
  })
  if (matching.length === 0) return told('never written', 'the database held that at no moment, or not for this viewer')
  const newest = matching.at(-1)
  if (current.length > 0) return told('older than seen', `state ${current.at(-1)?.index}, and ${least} was seen before`)
  if (newest && newest.to <= window.from) {
    return told(whyOld(newest.to, floors), `that was overwritten at ${newest.to}, and ${window.from} must be reflected`)
  }
  return told('beyond its token', `that was written at ${newest?.from}, and the answer's token is ${window.to}`)
}

/** Does the row's state show as this to the viewer? */
function says(viewer: Viewer, row: string, shown: RowState, { state }: Period): boolean {
  // An article that is gone has no views, and is not asked whether it is there.
  const held = state === null && row.startsWith('article_stats:') && shown !== null ? { views: 0 } : state
  if (shown === null || held === null || !canSee(viewer, row, held)) return shown === null && !canSee(viewer, row, held)
  return Object.entries(shown).every(([column, value]) => isDeepStrictEqual(held[column], value))
}

function checkList(claim: ClaimOf<'list'>, timeline: Timeline): Violation | undefined {
  const { observation, viewer, window, floors } = claim
  const { selection, ids, complete } = observation
  const members = timeline.members(selection, viewer)
  const strange = ids.find((id) => !members.mayHave(id, window))
  if (strange !== undefined) {
    const intervals = members.intervals(strange)
    const left = intervals.filter(({ to }) => to <= window.from).at(-1)
    const joins = intervals.some(({ from }) => from > window.to)
    const kind = left ? whyOld(left.to, floors) : joins ? 'beyond its token' : 'never written'
    const message = `${name(selection)} shows ${strange}, which ${left ? `left it at ${left.to}` : 'is not in it'}; the answer may be of ${window.from} to ${window.to}.`
    return { kind, message, rows: rowsOf(selection, strange) }
  }
  const lacking = complete ? members.alwaysIn(window).find((id) => !ids.includes(id)) : undefined
  if (lacking === undefined) return undefined
  const joined = members.intervals(lacking).findLast(({ from }) => from <= window.from)
  const message = `${name(selection)} lacks ${lacking}, which joined it at ${joined?.from}; the answer may be of ${window.from} to ${window.to}.`
  return { kind: whyOld(joined?.from ?? 0, floors), message, rows: rowsOf(selection, lacking) }
}

function checkCount(claim: ClaimOf<'count'>, timeline: Timeline): Violation | undefined {
  const { observation, viewer, window, floors } = claim
  const { selection, count } = observation
  const members = timeline.members(selection, viewer)
  const right = members.counts(window)
  if (right.has(count)) return undefined
  const changes = members.changes(window).map((change) => `${change.count} from ${change.from} on`)
  const message = `${name(selection)} counts ${count}, and it was ${[...right].sort((a, b) => a - b).join(' or ')} from ${window.from} to ${window.to}: ${changes.join(', ')}.`
  return { kind: whyOld(window.from, floors), message }
}

/** Two entries make such an answer, from different moments perhaps: whose name it is, and what there is of that row. */
function checkName(claim: ClaimOf<'name'>, timeline: Timeline): Violation | undefined {
  const { observation, viewer, window, floors } = claim
  const { table, column, value, id } = observation
  const bearers = timeline
    .keys()
    .filter((row) => row.startsWith(`${table}:`))
    .flatMap((row) =>
      timeline
        .periods(row)
        .filter((period) => period.state?.[column] === value && meets(period, window))
        .map((period) => ({ row, period })),
    )
  if (id !== null) {
    if (bearers.some(({ row }) => row === `${table}:${id}`)) return undefined
    const message = `${table} ${id} was found as ${column} "${value}", which it did not have from ${window.from} to ${window.to}.`
    return { kind: whyOld(window.from, floors), message, rows: [`${table}:${id}`] }
  }
  const [only] = bearers
  const held = bearers.reduce((sum, { period }) => sum + lengthWithin(period, window), 0)
  const isHidden = bearers.some(({ row }) =>
    timeline.periods(row).some((period) => meets(period, window) && !canSee(viewer, row, period.state)),
  )
  if (!only || held < window.to - window.from + 1 || isHidden) return undefined
  const message = `Nothing was found as ${column} "${value}" of ${table}, which ${only.row} had from ${window.from} to ${window.to}.`
  return { kind: whyOld(only.period.from, floors), message, rows: [only.row] }
}

/** What the answer missed was written at `position`: which promise covers that? */
const whyOld = (position: number, floors: Claim['floors']): ViolationKind =>
  position <= floors.token || floors.token >= floors.node ? 'older than its token' : 'older than acknowledged'

const lengthWithin = ({ from, to }: Period, window: Window): number =>
  Math.min(to, window.to + 1) - Math.max(from, window.from)

const name = ({ table, ...conditions }: Selection): string => `${table} ${JSON.stringify(conditions)}`

function rowsOf({ table, tagId, articleId }: Selection, id: number): string[] {
  if (tagId !== undefined) return [`${table}:${id}`, `article_tags:${id},${tagId}`]
  return articleId === undefined ? [`${table}:${id}`] : [`${table}:${id}`, `article_tags:${articleId},${id}`]
}
