import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { type Metrics, registerMetrics } from '../metrics/index.ts'
import { type HealthChecks, registerHealth } from './health.ts'

export interface WorkerServerOptions {
  readonly health: HealthChecks
  readonly metrics: Metrics
  readonly logger: FastifyBaseLogger
}

/** What a worker says of itself: health and metrics, as a node does, and nothing else. */
export function createWorkerServer({ health, metrics, logger }: WorkerServerOptions): FastifyInstance {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  })
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  registerHealth(app, health, () => closing)
  registerMetrics(app, metrics)
  return app
}
