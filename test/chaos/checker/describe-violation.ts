import type { Answer, Event, History, RowWrite } from '../history/history.ts'
import type { Violation } from './violation.ts'

/** What must not be, and what led to it: who wrote the rows it is about, who read them, with which tokens, where and when. */
export function describeViolation({ kind, message, event, rows = [] }: Violation, history: History): string {
  const answer = event === undefined ? undefined : history.events[event]
  const untilMs = answer?.is === 'answer' ? answer.endedAtMs : Number.POSITIVE_INFINITY
  const lines = [
    ...rows.flatMap((row) => history.writes.filter((write) => write.row === row)).map(describeWrite),
    ...history.events
      .filter((one) => one === answer || concerns(one, rows))
      .map((one) => describeEvent(one, rows, one === answer)),
  ]
    .filter(({ atMs }) => atMs <= untilMs + MARGIN_MS)
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-LINES)
  const startMs = lines[0]?.atMs ?? 0
  return [
    `${kind.toUpperCase()}: ${message}`,
    ...lines.map(({ atMs, text }) => `  ${(atMs - startMs).toFixed(0).padStart(6)} ms  ${text}`),
  ].join('\n')
}

interface Line {
  readonly atMs: number
  readonly text: string
}

const describeWrite = ({ row, state, position, atMs }: RowWrite): Line => ({
  atMs,
  text: `WRITTEN at ${position}: ${row} ${short(state)}`,
})

function concerns(event: Event, rows: readonly string[]): boolean {
  if (event.is === 'fault' || event.is === 'loss') return true
  return event.is === 'answer' && (saysOf(event, rows).length > 0 || rows.some((row) => isWrittenBy(event, row)))
}

const isWrittenBy = ({ write }: Answer, row: string): boolean =>
  write?.deletes === row || (write?.views !== undefined && row === `article_stats:${write.views}`)

const saysOf = ({ observed }: Answer, rows: readonly string[]) =>
  observed.filter((observation) => observation.of === 'row' && rows.includes(observation.row))

function describeEvent(event: Event, rows: readonly string[], isIt: boolean): Line {
  switch (event.is) {
    case 'fault':
      return { atMs: event.atMs, text: `FAULT: ${event.what}` }
    case 'loss':
      return { atMs: event.atMs, text: `LOST: all after ${JSON.stringify(event.ends)}` }
    case 'adoption':
      return { atMs: 0, text: `${event.client} knows what ${event.from} knows` }
    case 'answer': {
      const {
        client,
        viewer,
        node,
        asked,
        sent = 'no token',
        token = 'no token',
        error,
        startedAtMs,
        endedAtMs,
      } = event
      const took = `${endedAtMs - startedAtMs} ms`
      const outcome = error ? `${error.code}: ${error.message}` : saysOf(event, rows).map(short).join(' ')
      const who = `${client} (${viewer}) asked ${node}, with ${sent}`
      return { atMs: endedAtMs, text: `${isIt ? '>>> ' : ''}${who}: ${asked} → ${outcome} (${token}, ${took})` }
    }
    default:
      return event satisfies never
  }
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

/** What is shown of the time after it. */
const MARGIN_MS = 300
const LINES = 40
