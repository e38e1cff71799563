import { GraphQLError, GraphQLScalarType, Kind, print, type ValueNode } from 'graphql'
import { cut, quote } from '../../kernel/input.ts'
import { FIRST_YEAR, LAST_YEAR } from '../../kernel/ranges.ts'

/**
 * The scalar `DateTime`: an instant, written as ISO 8601 with a time zone. An answer has it to the millisecond. As input it is text in UTC, to
 * the microsecond. Throws a GraphQLError for any other input.
 */
export const dateTime = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  serialize: (value) => {
    if (value instanceof Date && isInRange(value)) return value.toISOString()
    throw new TypeError(`A DateTime must be resolved to a Date, not ${String(value)}.`)
  },
  parseValue: (value) => parseInstant(value, shown(value)),
  parseLiteral: (node) => {
    const value = node.kind === Kind.STRING ? node.value : undefined
    return parseInstant(value, value === undefined ? cut(print(node)) : quote(value), node)
  },
})

/** @param sent the value as a message shows it */
function parseInstant(value: unknown, sent: string, node?: ValueNode): string {
  const isWellFormed = typeof value === 'string' && ISO_8601.test(value)
  const instant = isWellFormed && isOnCalendar(value) ? new Date(value) : undefined
  if (instant && isInRange(instant)) return toMicroseconds(instant, String(value))
  const wanted = isWellFormed
    ? `a time that exists, in the years ${FIRST_YEAR} to ${LAST_YEAR}`
    : 'ISO 8601 with a time zone, such as "2026-01-31T12:00:00Z"'
  throw new GraphQLError(`A DateTime must be ${wanted}, not ${sent}.`, { nodes: node })
}

/** A Date has milliseconds, and the tables have microseconds. What is beyond these is rounded up: the same rows are before it, and after it. */
function toMicroseconds(instant: Date, text: string): string {
  const beyond = /\.\d{3}(\d+)/.exec(text)?.[1] ?? ''
  if (!/[1-9]/.test(beyond)) return instant.toISOString()
  const micros = Number(beyond.slice(0, 3).padEnd(3, '0')) + (/[1-9]/.test(beyond.slice(3)) ? 1 : 0)
  if (micros < 1000) return instant.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)
  // PostgreSQL writes the year 10000 without a sign.
  return new Date(instant.getTime() + 1).toISOString().replace(/^\+0/, '')
}

/** Years of four digits, as the tables hold them. False for `Invalid Date`, too. */
const isInRange = (date: Date): boolean => date.getUTCFullYear() >= FIRST_YEAR && date.getUTCFullYear() <= LAST_YEAR

/** False for a day that does not exist. JavaScript would read 30 February as 2 March. */
function isOnCalendar(text: string): boolean {
  const [date = ''] = text.split('T')
  const midnight = new Date(date)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** A value as a message shows it: text in quotes, anything else as it is written. */
const shown = (value: unknown): string =>
  typeof value === 'string' ? quote(value) : cut(JSON.stringify(value) ?? String(value))
