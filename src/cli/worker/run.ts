import { Command } from 'commander'
import { ConfigError, hasRedis, readConfig } from '../../app/config.ts'
import { createLogger } from '../../kernel/logger.ts'
import { stopSignal } from '../stop-signal.ts'

export const runCommand = new Command('run')
  .description('work until SIGTERM or Ctrl-C; what plain `worker` does')
  .option('--json', 'say what it works on as one line of JSON')
  .action(async ({ json }: { readonly json?: boolean }) => {
    const config = readConfig()
    if (!hasRedis(config)) {
      throw new ConfigError('REDIS_URL is not set: without it each server does this work itself.')
    }
    // Here, so that no other command waits until an engine is loaded.
    const { startWorker } = await import('../../app/start-worker.ts')
    const logger = createLogger(config.logLevel)
    const stopped = stopSignal()
    const { queues, where, url, close } = await startWorker({ config, logger })
    const told = url === undefined ? '' : ` Metrics: ${url}/metrics.`
    console.log(
      json
        ? JSON.stringify({ queues, where, pid: process.pid, url })
        : `Working on ${queues.join(', ')} for ${where}.${told} Ctrl-C stops it.`,
    )
    const signal = await stopped
    logger.info({ signal }, 'Stopping')
    await close()
  })
