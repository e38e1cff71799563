import { type LevelWithSilent, type Logger, pino } from 'pino'
import { hideCredentials } from './hide-credentials.ts'

export type { Logger } from 'pino'

/**
 * Writes one JSON object a line to standard error, because standard output belongs to what a command prints. Of errors, the
 * credentials in URLs are hidden.
 */
export function createLogger(level: LevelWithSilent): Logger {
  const serializers = { err: (error: Error) => presentable(pino.stdSerializers.err(error)) }
  const options = { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, serializers }
  return pino(options, pino.destination(2))
}

/** An error as it may be logged. HAZARD: ioredis adds the failed command to its errors, and that of AUTH holds the password. */
function presentable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return hideCredentials(value)
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return value.map((item) => presentable(item, depth + 1))
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    name === 'command'
      ? { name: (item as { readonly name?: unknown } | undefined)?.name }
      : presentable(item, depth + 1),
  ])
  return Object.fromEntries(entries)
}

/** An error may refer to itself. */
const MAX_DEPTH = 4
