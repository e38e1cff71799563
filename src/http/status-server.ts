import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { type Metrics, registerMetrics } from '../metrics/index.ts'
import { type HealthChecks, registerHealth } from './health.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

export interface StatusServerOptions {
  /** Undefined: another server tells of the health. */
  readonly health?: HealthChecks
  readonly metrics: Metrics
  readonly metricsToken: string | undefined
  readonly logger: FastifyBaseLogger
}

/** A server for operators: metrics, and health if nothing else tells of it. For a worker, and for a node with a port for its metrics. */
export function createStatusServer({ health, metrics, metricsToken, logger }: StatusServerOptions): FastifyInstance {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    bodyLimit: 1024,
    requestTimeout: 10_000,
  })
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(SAFE_HEADERS).header('cache-control', 'no-store')
  })
  if (health) registerHealth(app, health, () => closing)
  registerMetrics(app, metrics, { token: metricsToken })
  return app
}
