import { createServer as createHttpServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import proxyAddr from '@fastify/proxy-addr'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { MASKED } from '../graphql/resolving/index.ts'
import { type Metrics, registerMetrics } from '../metrics/index.ts'
import { checkPrivateMembers } from './check-private-members.ts'
import { type HealthChecks, registerHealth } from './health.ts'
import { type PlaygroundOptions, registerPlayground } from './playground.ts'
import { isHost, requestIdOf } from './request-head.ts'
import { Road, type RoadOptions } from './road.ts'
import { KEEP_ALIVE_MS } from './write-message.ts'

export interface ServerOptions {
  readonly graphql: Omit<RoadOptions, 'trustsProxy'>
  /** Whose `X-Forwarded-For` is believed, as Fastify takes it. */
  readonly trustProxy: string | false
  /** How long the server still accepts requests when it closes, while `/readyz` says that it will not. */
  readonly shutdownDelayMs: number
  /** How long requests in flight may take to finish then. */
  readonly shutdownTimeoutMs: number
  readonly health: HealthChecks
  readonly metrics: Metrics
  readonly playground: PlaygroundOptions
  readonly logger: FastifyBaseLogger
}

/** A node's HTTP server. Requests to `/graphql` walk the road; Fastify has the other routes. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  let closing = false
  const { trustProxy } = options
  const road = new Road({
    ...options.graphql,
    trustsProxy: trustProxy === false ? () => false : proxyAddr.compile(trustProxy.split(',').map((it) => it.trim())),
  })
  if (!(await checkPrivateMembers())) {
    options.logger.warn(
      'This Node handles HTTP in another way than Stet knows: it is served by the public API, and slower.',
    )
  }

  const app = Fastify({
    serverFactory: (others) => createHttpServer({ keepAliveTimeout: KEEP_ALIVE_MS }, road.listener(others)),
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    trustProxy,
    genReqId: ({ headers }) => requestIdOf(headers),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  })

  app.addHook('preClose', async () => {
    closing = true
    road.close()
    await sleep(options.shutdownDelayMs)
    const cut = setTimeout(() => app.server.closeAllConnections(), options.shutdownTimeoutMs).unref()
    app.server.once('close', () => clearTimeout(cut))
  })
  app.addHook('onRequest', (request, _reply, done) => done(isHost(request.host) ? undefined : new InvalidHost()))
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id)
    // Else the server would wait for a connection that nothing more is sent over.
    if (closing) reply.header('connection', 'close')
    if (reply.statusCode === 503) reply.header('retry-after', '1')
    done()
  })
  app.setErrorHandler<FastifyError>(answerError)

  registerHealth(app, options.health, () => closing)
  registerMetrics(app, options.metrics)
  await registerPlayground(app, options.playground)
  return app
}

class InvalidHost extends Error {
  readonly statusCode = 400

  constructor() {
    super('The Host header names no host.')
  }
}

/** For what fails outside of GraphQL: bodies that aren't JSON or too large, say. In the shape that GraphQL clients expect. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500
  if (status < 500) {
    return reply.code(status).send({ errors: [{ message: error.message, extensions: { code: 'BAD_REQUEST' } }] })
  }
  request.log.error({ err: error, requestId: request.id }, 'A request failed')
  const extensions = { code: 'INTERNAL_SERVER_ERROR', requestId: request.id }
  return reply.code(status).send({ errors: [{ message: MASKED, extensions }] })
}
