import type { Answer, History, Observation, RowKey } from '../history/history.ts'
import { checkMoment } from './check-moment.ts'
import { type Claim, checkObservation } from './check-observation.ts'
import { checkViews } from './check-views.ts'
import { checkWrite, Marks } from './check-write.ts'
import { Timeline } from './timeline.ts'
import type { Violation } from './violation.ts'

/**
 * Everything in a history that breaks a promise, in the manner of Jepsen: clients wrote down what they were told, the
 * database wrote down what became of each row, and at which position of the log. An answer is right where it shows, of
 * each row, a state that the row had at some position that it may be of: no older than what the asker sent along, no newer
 * than what the answer says of itself.
 */
export function checkHistory(history: History): Violation[] {
  const timeline = new Timeline(history)
  return [...new SessionChecker(history, timeline).check(), ...checkViews(history, timeline)]
}

class SessionChecker {
  readonly #history: History
  readonly #timeline: Timeline
  readonly #marks: Marks
  /** What each client knows: of each row the state it was shown last. */
  readonly #known = new Map<string, Map<RowKey, number>>()
  /** The writes that each node acknowledged: when, and how far in the log they reach. */
  readonly #acknowledged = new Map<string, { readonly event: number; readonly position: number }[]>()

  constructor(history: History, timeline: Timeline) {
    this.#history = history
    this.#timeline = timeline
    this.#marks = new Marks(history)
  }

  check(): Violation[] {
    return this.#history.events.flatMap((event, number) => {
      switch (event.is) {
        case 'fault':
        case 'loss':
          return []
        case 'adoption':
          this.#adopt(event.client, event.from)
          return []
        case 'answer':
          return this.#checkAnswer(event, number).map((violation) => ({ event: number, ...violation }))
        default:
          return event satisfies never
      }
    })
  }

  #checkAnswer(answer: Answer, number: number): Violation[] {
    const { error, sent, token } = answer
    const written = checkWrite(answer, number, this.#timeline, this.#marks)
    // What was lost with its history can't be judged; that it was lost has been said above.
    if (error || token === undefined || !this.#timeline.survived(token, number)) return written.violations
    const floors = { token: this.#timeline.positionOf(sent), node: this.#floorOf(answer) }
    const from = Math.max(floors.token, floors.node)
    const violations = [...written.violations]
    if (this.#timeline.positionOf(token) < floors.token) {
      violations.push({ kind: 'token went back', message: `It was sent ${sent}, and answered ${token}.` })
    }
    const window = { from, to: Math.max(from, this.#timeline.positionOf(token)) }
    const known = this.#knownTo(answer.client)
    for (const observation of answer.observed) {
      const least = sent === undefined ? 0 : leastOf(observation, known)
      const claim: Claim = { observation, viewer: answer.viewer, window, floors, least }
      const { violation, index } = checkObservation(claim, this.#timeline)
      if (violation) violations.push(violation)
      if (observation.of === 'row' && index !== undefined) learn(known, observation.row, index)
    }
    const moments = violations.length === 0 && checkMoment(answer.observed, answer.viewer, window, this.#timeline)
    if (moments) violations.push(moments)
    if (written.made) {
      const { row, index, position } = written.made
      learn(known, row, index)
      this.#acknowledge(answer.node, number, position)
    }
    return violations
  }

  /** An answer reflects every write that its node had acknowledged when the request began. */
  #floorOf({ node, after }: Answer): number {
    return this.#acknowledged.get(node)?.findLast(({ event }) => event < after)?.position ?? 0
  }

  #acknowledge(node: string, event: number, position: number): void {
    const earlier = this.#acknowledged.get(node) ?? []
    earlier.push({ event, position: Math.max(position, earlier.at(-1)?.position ?? 0) })
    this.#acknowledged.set(node, earlier)
  }

  #knownTo(client: string): Map<RowKey, number> {
    const known = this.#known.get(client) ?? new Map<RowKey, number>()
    this.#known.set(client, known)
    return known
  }

  #adopt(client: string, from: string): void {
    const known = this.#knownTo(client)
    for (const [row, index] of this.#knownTo(from)) learn(known, row, index)
  }
}

const leastOf = (observation: Observation, known: ReadonlyMap<RowKey, number>): number =>
  observation.of === 'row' ? (known.get(observation.row) ?? 0) : 0

function learn(known: Map<RowKey, number>, row: RowKey, index: number): void {
  known.set(row, Math.max(index, known.get(row) ?? 0))
}
