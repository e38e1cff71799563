import { Ledger } from '../cache/index.ts'
import { migrate } from '../database/index.ts'
import { createWorkerServer } from '../http/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { openTogether } from '../kernel/open-together.ts'
import { Metrics } from '../metrics/index.ts'
import type { Config } from './config.ts'
import { openEngine } from './open-engine.ts'

export interface StartWorkerOptions {
  readonly config: Config
  readonly logger: Logger
}

export interface RunningWorker {
  readonly queues: readonly string[]
  /** Where its data is. */
  readonly where: string
  /** Where it tells of itself. Undefined where it doesn't. */
  readonly url: string | undefined
  /** Ends the batch at hand, and closes every client. */
  close(): Promise<void>
}

/** What servers leave for later, in a process of its own. */
export function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  return openTogether((onClose) => wire(options, onClose))
}

async function wire(
  { config, logger }: StartWorkerOptions,
  onClose: (closer: () => unknown) => void,
): Promise<Omit<RunningWorker, 'close'>> {
  const ledger = new Ledger()
  const metrics = new Metrics(ledger)
  const { databases, redis, follower, worker, close } = await openEngine({
    config,
    logger,
    ledger,
    observer: metrics,
    prepare: ({ unhurried }) => unhurried(migrate),
  })
  onClose(close)
  metrics.watchFollower(follower)
  metrics.watchDatabase(databases.database)
  metrics.watchQueues(() => worker.states())

  const app = createWorkerServer({
    metrics,
    health: {
      postgresql: { required: true, check: () => databases.log.query('select 1') },
      ...(redis && { redis: { required: true, check: () => redis.client.ping() } }),
    },
    logger,
  })
  onClose(() => app.close())
  worker.start()
  onClose(() => worker.stop())
  // First of all: whatever a statement waits for, the end comes in time.
  onClose(() => databases.cutAfter(config.shutdownTimeoutMs))
  const { workerPort: port, host } = config
  const url = port === undefined ? undefined : await app.listen({ port, host })
  return { queues: worker.queues, where: databases.where, url }
}
