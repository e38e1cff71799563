import { Command } from 'commander'
import { ConfigError, hasRedis, readConfig } from '../../app/config.ts'
import { runUntilStopped } from '../run-until-stopped.ts'

export const runCommand = new Command('run')
  .description('work until SIGTERM or Ctrl-C; what plain `worker` does')
  .option('--json', 'say what it works on as one line of JSON')
  .action(async ({ json }: { readonly json?: boolean }) => {
    const config = readConfig()
    if (!hasRedis(config)) {
      throw new ConfigError('REDIS_URL is not set: without it each server does this work itself.')
    }
    await runUntilStopped(config, {
      start: async (logger) => {
        // Imported here, so that no other command waits until a whole worker is loaded.
        const { startWorker } = await import('../../app/start-worker.ts')
        return startWorker({ config, logger })
      },
      onStarted: ({ queues, where, url }) => {
        const told = url === undefined ? '' : ` Metrics: ${url}/metrics.`
        console.log(
          json
            ? JSON.stringify({ queues, where, pid: process.pid, url })
            : `Working on ${queues.join(', ')} for ${where}.${told} Ctrl-C stops it.`,
        )
      },
    })
  })
