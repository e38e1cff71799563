import type { Logger } from '../kernel/logger.ts'

export interface RunOptions<Server> {
  readonly start: () => Promise<Server>
  /** Called if it has started before the signal comes. */
  readonly onStarted: (server: Server) => void
  /** How much longer a start may take once the signal has come. */
  readonly timeoutMs: number
  readonly logger: Logger
}

/**
 * Starts a server and closes it once the process gets SIGTERM or SIGINT. If the signal comes first, and the start then takes
 * longer than `timeoutMs`, the process exits with code 1: the system frees what it holds.
 */
export async function runUntilStopped<Server extends { close(): Promise<void> }>({
  start,
  onStarted,
  timeoutMs,
  logger,
}: RunOptions<Server>): Promise<void> {
  const signalled = stopSignal()
  const starting = start()
  const started = await Promise.race([starting, signalled.then(() => undefined)])
  if (started) onStarted(started)
  logger.info({ signal: await signalled }, 'Stopping')
  const cutOff = setTimeout(() => {
    logger.error('The start took too long and is cut off')
    process.exit(1)
  }, timeoutMs)
  const server = await starting
  clearTimeout(cutOff)
  await server.close()
}

/** Further signals change nothing: npm passes on a Ctrl-C that the server got from the terminal, too. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on('SIGTERM', resolve).on('SIGINT', resolve)
  })
}
