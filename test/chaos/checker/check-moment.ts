import type { Observation, Viewer } from '../history/history.ts'
import { checkObservation } from './check-observation.ts'
import type { Timeline, Window } from './timeline.ts'
import type { Violation } from './violation.ts'

/** Is there one position in the window at which all that an answer says was so? Asked only if each of it was so at some position. */
export function checkMoment(
  observed: readonly Observation[],
  viewer: Viewer,
  window: Window,
  timeline: Timeline,
): Violation | undefined {
  if (observed.length < 2) return undefined
  // What one position refutes refutes others too, so it is looked at first.
  let order = observed
  for (let position = window.to; position >= Math.max(window.from, window.to - MAX_POSITIONS); position--) {
    const refuting = order.find((observation) => !wasSoAt(position, { observation, viewer, timeline }))
    if (!refuting) return undefined
    order = [refuting, ...order.filter((observation) => observation !== refuting)]
  }
  if (window.to - window.from > MAX_POSITIONS) return undefined
  const rows = observed.flatMap((observation) => (observation.of === 'row' ? [observation.row] : []))
  const message = `At no position from ${window.from} to ${window.to} was all of it so: ${JSON.stringify(order)}.`
  return { kind: 'of several moments', message, rows }
}

const wasSoAt = (
  position: number,
  { observation, viewer, timeline }: { observation: Observation; viewer: Viewer; timeline: Timeline },
): boolean => {
  const window = { from: position, to: position }
  return !checkObservation({ observation, viewer, window, floors: NONE, least: 0 }, timeline).violation
}

const NONE = { token: 0, node: 0 }
/** An answer that may be of more positions than that says little. */
const MAX_POSITIONS = 5000
