import { type LevelWithSilent, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** Writes one JSON object a line to standard error, because standard output belongs to what a command prints. */
export function createLogger(level: LevelWithSilent): Logger {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}
