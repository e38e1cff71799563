import type { Config } from '../app/config.ts'
import { createLogger, type Logger } from '../kernel/logger.ts'

export interface Runnable<Server> {
  readonly start: (logger: Logger) => Promise<Server>
  /** Called if it has started before the signal comes. */
  readonly onStarted: (server: Server) => void
}

/**
 * Starts a server and closes it once the process gets SIGTERM or SIGINT. If the signal comes first, and the start then takes
 * longer than `shutdownTimeoutMs`, the process exits with code 1: the system frees what it holds.
 */
export async function runUntilStopped<Server extends { close(): Promise<void> }>(
  { logLevel, shutdownTimeoutMs }: Config,
  { start, onStarted }: Runnable<Server>,
): Promise<void> {
  const logger = createLogger(logLevel)
  // Further signals change nothing: npm passes on a Ctrl-C that the server got from the terminal, too.
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    process.on('SIGTERM', resolve).on('SIGINT', resolve)
  })
  const starting = start(logger)
  const started = await Promise.race([starting, signalled.then(() => undefined)])
  if (started) onStarted(started)
  logger.info({ signal: await signalled }, 'Stopping')
  const cutOff = setTimeout(() => {
    logger.error('The start took too long and is cut off')
    process.exit(1)
  }, shutdownTimeoutMs)
  const server = await starting
  clearTimeout(cutOff)
  await server.close()
}
