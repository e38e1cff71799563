import {
  canSee,
  type History,
  type LogEnd,
  type RowKey,
  type RowState,
  type Selection,
  type Viewer,
} from '../history/history.ts'

/** What a row was from one position of the log up to, not including, another. */
export interface Period {
  readonly from: number
  readonly to: number
  readonly state: RowState
  /** Counts the states of the row: 0 is before there was one. */
  readonly index: number
  readonly atMs: number
}

export interface Interval {
  readonly from: number
  readonly to: number
}

/** What every row was at every position. */
export class Timeline {
  readonly #rows = new Map<RowKey, Period[]>()
  readonly #epochs: History['epochs']
  readonly #losses: readonly { readonly number: number; readonly ends: readonly LogEnd[] }[]
  readonly #members = new Map<string, Members>()

  constructor({ writes, epochs, events }: Pick<History, 'writes' | 'epochs' | 'events'>) {
    this.#epochs = epochs
    this.#losses = events.flatMap((event, number) => (event.is === 'loss' ? { number, ends: event.ends } : []))
    for (const { row, state, position, atMs } of writes) {
      const periods = this.#rows.get(row) ?? [before]
      const previous = periods.at(-1) ?? before
      // Of several writes that were given their position at once only the last was ever there at a moment.
      this.#rows.set(row, [
        ...periods.slice(0, -1),
        { ...previous, to: position },
        { from: position, to: Number.POSITIVE_INFINITY, state, index: previous.index + 1, atMs },
      ])
    }
  }

  keys(): readonly RowKey[] {
    return [...this.#rows.keys()]
  }

  /** Oldest first; the first is before there was such a row. */
  periods(row: RowKey): readonly Period[] {
    return this.#rows.get(row) ?? [before]
  }

  /** The row's last state. */
  last(row: RowKey): RowState {
    return this.periods(row).at(-1)?.state ?? null
  }

  /** Where a token stands. What it says of a history that was lost in part counts as far as that one survived. */
  positionOf(token: string | undefined): number {
    const [, digits, epoch] = /^(\d+)\.(.*)$/.exec(token ?? '') ?? []
    const last = this.#epochs.find((known) => known.epoch === epoch)?.last
    return last === undefined ? 0 : Math.min(last, Number(digits))
  }

  /**
   * False for a token beyond what survived of its history: such an answer may show what nobody knows of any longer.
   * @param number of the event that has the token
   */
  survived(token: string | undefined, number: number): boolean {
    const [, digits, epoch] = /^(\d+)\.(.*)$/.exec(token ?? '') ?? []
    const later = this.#losses.filter((loss) => loss.number > number).map(({ ends }) => ends)
    return [this.#epochs, ...later].every((ends) =>
      ends.some((end) => end.epoch === epoch && Number(digits) <= end.last),
    )
  }

  /** Which rows are in a selection, as the viewer sees it, and when. */
  members(selection: Selection, viewer: Viewer): Members {
    const key = JSON.stringify([selection, viewer])
    const known = this.#members.get(key)
    if (known) return known
    const all = new Map<number, readonly Interval[]>()
    for (const row of this.#rows.keys()) {
      const [table, id] = row.split(':')
      if (table !== selection.table) continue
      const matching = this.periods(row).filter(({ state }) => canSee(viewer, row, state) && fits(state, selection))
      const { tagId, articleId } = selection
      const link =
        tagId !== undefined
          ? `article_tags:${id},${tagId}`
          : articleId !== undefined
            ? `article_tags:${articleId},${id}`
            : undefined
      const linked = link ? this.periods(link).filter(({ state }) => state !== null) : [always]
      if (matching.length > 0 && linked.length > 0) {
        all.set(Number(id), merged(overlaps(matching, linked)))
      }
    }
    const members = new Members(all)
    this.#members.set(key, members)
    return members
  }
}

/** When each row was in a selection. */
export class Members {
  readonly #all: ReadonlyMap<number, readonly Interval[]>
  /** How many there were, from each position on. */
  readonly #counts: { readonly from: number; readonly count: number }[] = []

  constructor(all: ReadonlyMap<number, readonly Interval[]>) {
    this.#all = all
    const changes = new Map<number, number>([[0, 0]])
    for (const { from, to } of [...all.values()].flat()) {
      changes.set(from, (changes.get(from) ?? 0) + 1)
      changes.set(to, (changes.get(to) ?? 0) - 1)
    }
    let count = 0
    for (const from of [...changes.keys()].sort((a, b) => a - b)) {
      count += changes.get(from) ?? 0
      this.#counts.push({ from, count })
    }
  }

  intervals(id: number): readonly Interval[] {
    return this.#all.get(id) ?? []
  }

  /** At some position of the window. */
  mayHave(id: number, window: Window): boolean {
    return this.intervals(id).some((interval) => meets(interval, window))
  }

  /** Those that were in it all through the window. */
  alwaysIn({ from, to }: Window): number[] {
    return [...this.#all].flatMap(([id, intervals]) =>
      intervals.some((interval) => interval.from <= from && interval.to > to) ? id : [],
    )
  }

  /** How their number changed shortly before the window, within it, and shortly after. */
  changes({ from, to }: Window): readonly { readonly from: number; readonly count: number }[] {
    const first = this.#counts.findIndex((change) => change.from > from)
    const beyond = this.#counts.findIndex((change) => change.from > to)
    const [start, end] = [first, beyond].map((index) => (index < 0 ? this.#counts.length : index))
    return this.#counts.slice(Math.max(0, (start ?? 0) - 4), (end ?? 0) + 3)
  }

  /** How many there were at each position of the window. */
  counts({ from, to }: Window): Set<number> {
    const beginning = this.#counts.findLast((change) => change.from <= from)
    const later = this.#counts.filter((change) => change.from > from && change.from <= to)
    return new Set([beginning?.count ?? 0, ...later.map(({ count }) => count)])
  }
}

/** Positions that an answer may be of: both ends included. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** Was it so at some position of the window? */
export const meets = ({ from, to }: Interval, window: Window): boolean => from <= window.to && to > window.from

const always: Interval = { from: 0, to: Number.POSITIVE_INFINITY }
const before: Period = { from: 0, to: Number.POSITIVE_INFINITY, state: null, index: 0, atMs: 0 }

function fits(state: RowState, { status, authorId }: Selection): boolean {
  return (
    state !== null &&
    (status === undefined || state.status === status) &&
    (authorId === undefined || state.author_id === authorId)
  )
}

function overlaps(some: readonly Interval[], others: readonly Interval[]): Interval[] {
  return some
    .flatMap((one) => others.map((other) => ({ from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) })))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from)
}

/** Those that follow each other without a gap, as one. */
function merged(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = []
  for (const { from, to } of intervals) {
    const last = result.at(-1)
    if (last && last.to === from) result[result.length - 1] = { from: last.from, to }
    else result.push({ from, to })
  }
  return result
}
