import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { MASKED } from '../graphql/resolving/index.ts'
import { formatToken } from '../invalidation/index.ts'
import { type Metrics, registerMetrics } from '../metrics/index.ts'
import { GraphQLRoute, type GraphQLRouteOptions } from './graphql-handler.ts'
import { type HealthChecks, registerHealth } from './health.ts'
import { type PlaygroundOptions, registerPlayground } from './playground.ts'
import { isHost, requestIdOf } from './request-head.ts'
import { KEEP_ALIVE_MS } from './send-answer.ts'

export interface ServerOptions {
  readonly graphql: Omit<GraphQLRouteOptions, 'isClosing' | 'trustsProxy'>
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

/** Every route of a node. The way of a GraphQL request is in `GraphQLRoute`. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  let closing = false
  const graphql = new GraphQLRoute({
    ...options.graphql,
    trustsProxy: options.trustProxy !== false,
    isClosing: () => closing,
  })
  const { ledger } = options.graphql

  const app = Fastify({
    serverFactory: (handle) => {
      const receive = (request: IncomingMessage, response: ServerResponse) =>
        graphql.receive(request, response, () => handle(request, response))
      return createHttpServer({ keepAliveTimeout: KEEP_ALIVE_MS }, receive)
    },
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    trustProxy: options.trustProxy,
    genReqId: ({ headers }) => requestIdOf(headers),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  })

  app.addHook('preClose', async () => {
    closing = true
    await sleep(options.shutdownDelayMs)
    const cut = setTimeout(() => app.server.closeAllConnections(), options.shutdownTimeoutMs).unref()
    app.server.once('close', () => clearTimeout(cut))
  })
  app.addHook('onRequest', (request, _reply, done) => done(isHost(request.host) ? undefined : new InvalidHost()))
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id)
    // Requests that are refused before they run are answered by this node all the same.
    if (request.routeOptions.url === '/graphql' && !reply.hasHeader('stet-as-of')) {
      reply.header('stet-as-of', formatToken(ledger.seen, ledger.epoch))
    }
    // Else the server would wait for a connection that nothing more is sent over.
    if (closing) reply.header('connection', 'close')
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Bearer')
    if (reply.statusCode === 503) reply.header('retry-after', '1')
    done()
  })
  app.setErrorHandler<FastifyError>(answerError)

  graphql.register(app)
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
