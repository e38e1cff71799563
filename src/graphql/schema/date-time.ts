import { GraphQLError, GraphQLScalarType, Kind, print, type ValueNode } from 'graphql'
import { cut, quote } from '../../kernel/input.ts'
import { FIRST_YEAR, LAST_YEAR } from '../../kernel/ranges.ts'

/** The scalar `DateTime`: an instant, written as ISO 8601 with a time zone. Throws a GraphQLError for any other input. */
export const dateTime = new GraphQLScalarType<Date, string>({
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
function parseInstant(value: unknown, sent: string, node?: ValueNode): Date {
  const instant = typeof value === 'string' && ISO_8601.test(value) && isOnCalendar(value) ? new Date(value) : undefined
  if (instant && isInRange(instant)) return instant
  throw new GraphQLError(`A DateTime must be ISO 8601 with a time zone, such as "2026-01-31T12:00:00Z", not ${sent}.`, {
    nodes: node,
  })
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
