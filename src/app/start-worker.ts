import { migrate } from '../database/index.ts'
import { createStatusServer } from '../http/index.ts'
import type { Logger } from '../kernel/logger.ts'
import { type OnClose, openTogether } from '../kernel/open-together.ts'
import { Metrics } from '../metrics/index.ts'
import type { Config } from './config.ts'
import { openEngine } from './open-engine.ts'
import { openRooms } from './open-rooms.ts'
import { replicaHealth } from './replica-health.ts'

export interface StartWorkerOptions {
  readonly config: Config
  readonly logger: Logger
}

export interface RunningWorker {
  readonly queues: readonly string[]
  /** Where its data is, in words. */
  readonly where: string
  /** Where it answers /metrics, /healthz and /readyz. Undefined without WORKER_PORT. */
  readonly url: string | undefined
  /** Finishes the current batch, and closes every client. */
  close(): Promise<void>
}

/** Does, in a process of its own, what servers leave for later. Resolves once it works. */
export function startWorker(options: StartWorkerOptions): Promise<RunningWorker> {
  return openTogether((onClose) => open(options, onClose))
}

async function open({ config, logger }: StartWorkerOptions, onClose: OnClose): Promise<Omit<RunningWorker, 'close'>> {
  const metrics = new Metrics()
  const engine = await openEngine({
    config,
    logger,
    observer: metrics,
    prepare: ({ unhurried }) => unhurried((primary) => migrate(primary, { schema: config.databaseSchema })),
  })
  onClose(engine.close)
  const { databases, redis, follower, ledger, links, triggers } = engine
  await triggers.start()
  const { worker } = openRooms({ config, logger, engine, observer: metrics })
  metrics.watch({ ledger, database: databases.database, follower, triggers, worker, links })

  const app = createStatusServer({
    metrics,
    metricsToken: config.metricsToken,
    health: {
      postgresql: { required: true, check: () => databases.log.query('select 1') },
      ...replicaHealth(databases.database.replica),
      ...(redis && { redis: { required: true, check: () => redis.client.ping() } }),
      triggers: { required: false, check: () => triggers.check() },
    },
    logger,
  })
  onClose(() => app.close())
  worker.start()
  onClose(() => worker.stop())
  // Closed first: whatever a statement waits for, the end then comes in time.
  onClose(() => databases.cutAfter(config.shutdownTimeoutMs))
  const { workerPort: port, host } = config
  const url = port === undefined ? undefined : await app.listen({ port, host })
  return { queues: worker.queues, where: databases.where, url }
}
