import type { Answer, History, RowKey } from '../history/history.ts'
import type { Timeline } from './timeline.ts'
import type { Violation } from './violation.ts'

interface Made {
  readonly row: RowKey
  readonly index: number
  readonly position: number
}

/** Is what was acknowledged there, and what was refused not? `made` is the write, where it was acknowledged. */
export function checkWrite(
  { write, error, token }: Answer,
  number: number,
  timeline: Timeline,
  marks: Marks,
): { readonly violations: Violation[]; readonly made?: Made } {
  if (!write || write.views !== undefined) return { violations: [] }
  const acknowledged = !error || error.code === 'WRITE_UNCONFIRMED'
  const made = find(write, timeline, marks)
  if (!acknowledged) {
    // Somebody else may have deleted what this client was refused to.
    if (error.open || !made || write.deletes) return { violations: [] }
    const message = `"${write.mark}" was refused with ${error.code} (${error.message}), and is in ${made.row} since ${made.position}.`
    return { violations: [{ kind: 'made though refused', message, rows: [made.row] }] }
  }
  if (!made) {
    if (!write.mark && !write.deletes) return { violations: [] }
    const message = write.deletes
      ? `${write.deletes} was deleted, and is there.`
      : `"${write.mark}" was acknowledged, and the database never held it.`
    return { violations: [{ kind: 'lost write', message, rows: write.deletes ? [write.deletes] : [] }] }
  }
  if (error) return { violations: [] }
  if (token !== undefined && timeline.survived(token, number) && made.position > timeline.positionOf(token)) {
    const message = `The write is at ${made.position}, and its answer's token is ${token}.`
    return { violations: [{ kind: 'beyond its token', message, rows: [made.row] }], made }
  }
  return { violations: [], made }
}

function find({ mark, deletes }: NonNullable<Answer['write']>, timeline: Timeline, marks: Marks): Made | undefined {
  const row = deletes ?? (mark === undefined ? undefined : marks.rowOf(mark))
  if (row === undefined) return undefined
  const periods = timeline.periods(row)
  const period = deletes
    ? periods.findLast(({ state, index }) => state === null && index > 0)
    : periods.find(({ state }) => marksOf(state).includes(mark ?? ''))
  return period && { row, index: period.index, position: period.from }
}

/** In which row each mark is. */
export class Marks {
  readonly #rows = new Map<string, RowKey>()

  constructor({ writes }: Pick<History, 'writes'>) {
    for (const { row, state } of writes) for (const mark of marksOf(state)) this.#rows.set(mark, row)
  }

  rowOf(mark: string): RowKey | undefined {
    return this.#rows.get(mark)
  }
}

/** A mark is the first word of a title, a description or a display name. */
function marksOf(state: History['writes'][number]['state']): string[] {
  const texts = [state?.title, state?.description, state?.display_name]
  return texts.flatMap((text) => (typeof text === 'string' ? (/^w\d+/.exec(text) ?? []) : []))
}
