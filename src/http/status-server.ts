import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, LogController } from 'fastify'
import { type Metrics, registerMetrics } from '../metrics/index.ts'
import { answerClientError } from './answer-client-error.ts'
import { answerNotFound } from './answer-not-found.ts'
import { type HealthChecks, registerHealth } from './health.ts'
import { HEADS_AS_SENT, hasHost } from './request-head.ts'
import { SAFE_HEADERS } from './safe-headers.ts'
import { noteResponse } from './wire.ts'

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
    http: HEADS_AS_SENT,
    clientErrorHandler: answerClientError,
    // No hook is called for a URL that makes no sense.
    frameworkErrors: (_error, _request, reply) => void refuse(reply, 'The URL makes no sense.'),
  })
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onRequest', async ({ raw }, reply) => {
    noteResponse(raw, reply.raw)
    if (!hasHost(raw)) return refuse(reply, 'The Host header names no host.')
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(HEADERS)
  })
  answerNotFound(app)
  if (health) registerHealth(app, health, () => closing)
  registerMetrics(app, metrics, { token: metricsToken })
  return app
}

const refuse = (reply: FastifyReply, message: string): FastifyReply =>
  reply.headers(HEADERS).code(400).type('text/plain').send(`${message}\n`)

const HEADERS = { ...SAFE_HEADERS, 'cache-control': 'no-store' }
