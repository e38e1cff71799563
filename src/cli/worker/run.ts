import { Command } from 'commander'
import { ConfigError, readConfig } from '../../config.ts'
import { migrate } from '../../database/migrate.ts'
import { createLogger } from '../../kernel/logger.ts'
import { stopSignal } from '../stop-signal.ts'

export const runCommand = new Command('run')
  .description('work until SIGTERM or Ctrl-C; what plain `worker` does')
  .option('--json', 'say what it works on as one line of JSON')
  .action(async ({ json }: { readonly json?: boolean }) => {
    const config = readConfig()
    if (config.redisUrl === undefined) {
      throw new ConfigError('REDIS_URL is not set: without it each server does this work itself.')
    }
    // Here, so that no other command waits until an engine is loaded.
    const { openEngine } = await import('../../engine.ts')
    const logger = createLogger(config.logLevel)
    const stopped = stopSignal()
    const engine = await openEngine({ config, logger, prepare: ({ database }) => migrate(database.primary) })
    const { worker, databases } = engine
    worker.start()
    const { queues } = worker
    console.log(
      json
        ? JSON.stringify({ queues, where: databases.where, pid: process.pid })
        : `Working on ${queues.join(', ')} for ${databases.where}. Ctrl-C stops it.`,
    )
    const signal = await stopped
    logger.info({ signal }, 'Stopping')
    await worker.stop()
    await engine.close()
  })
