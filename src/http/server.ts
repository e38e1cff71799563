import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
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
import { addressGroup, clientAddress } from '../identity/index.ts'
import { type Metrics, type RegisterMetricsOptions, registerMetrics } from '../metrics/index.ts'
import { answerClientError } from './answer-client-error.ts'
import { answerNotFound } from './answer-not-found.ts'
import { boundUnread } from './bound-unread.ts'
import { ByteBudget, type ByteBudgetOptions } from './byte-budget.ts'
import { checkPrivateMembers } from './check-private-members.ts'
import { type CorsOrigins, corsFor } from './cors.ts'
import { type HealthChecks, registerHealth } from './health.ts'
import { limitConnections } from './limit-connections.ts'
import { type PlaygroundOptions, registerPlayground } from './playground.ts'
import { HEADS_AS_SENT, hasHost, isHost, requestIdOf } from './request-head.ts'
import { Road } from './road.ts'
import type { RoadOptions } from './road-options.ts'
import { SAFE_HEADERS, SECURE_HEADER } from './safe-headers.ts'
import { isTooLong, KEEP_ALIVE_MS } from './wire.ts'

export interface ServerOptions {
  readonly graphql: Omit<
    RoadOptions,
    'trustsProxy' | 'bodies' | 'visitorsBodies' | 'cors' | 'hasPlayground' | 'onUnread' | 'unreadMaxMs' | 'onRefused'
  >
  readonly limits: ServerLimits
  /** Pages of which other origins may call. Undefined: none. */
  readonly corsOrigins: CorsOrigins | undefined
  /** Whose `X-Forwarded-For` is believed, as Fastify takes it. */
  readonly trustProxy: string | false
  /** How long the server still accepts requests when it closes, while `/readyz` says that it will not. */
  readonly shutdownDelayMs: number
  /** How long requests in flight may take to finish then. */
  readonly shutdownTimeoutMs: number
  readonly health: HealthChecks
  readonly metrics: Metrics
  /** Who may read the metrics here. Undefined: they are not served here. */
  readonly metricsFor: RegisterMetricsOptions | undefined
  /** Undefined: there is none. */
  readonly playground: PlaygroundOptions | undefined
  readonly logger: FastifyBaseLogger
}

/** What clients may take of a node. Sizes are in bytes, times in milliseconds. */
interface ServerLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly maxBodyBytes: number
  readonly maxBodyBytesOfVisitors: number
  /** Bodies, from their arrival until their requests are answered. */
  readonly bodies: Omit<ByteBudgetOptions, 'addressOf'>
  /** Answers that wait for their clients to read. */
  readonly unread: Omit<ByteBudgetOptions, 'addressOf'>
  /** For the head of a request. */
  readonly headTimeoutMs: number
  /** For a whole request, and for as long as a client reads nothing of its answer. */
  readonly requestTimeoutMs: number
}

/** A node's HTTP server. Requests to `/graphql` walk the road; Fastify has the other routes. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  let closing = false
  const { trustProxy, limits, metrics } = options
  const trustsProxy =
    trustProxy === false ? () => false : proxyAddr.compile(trustProxy.split(',').map((it) => it.trim()))
  const { maxBodyBytes, maxBodyBytesOfVisitors, requestTimeoutMs } = limits
  const addressOf = (request: IncomingMessage) => {
    const address = clientAddress(proxyAddr.all(request, trustsProxy))
    return trustsProxy(address, 0) ? undefined : addressGroup(address)
  }
  const budget = new ByteBudget({ ...limits.bodies, addressOf })
  const road = new Road({
    ...options.graphql,
    trustsProxy,
    hasPlayground: options.playground !== undefined,
    cors: options.corsOrigins && corsFor(options.corsOrigins),
    bodies: { maxBytes: maxBodyBytes, budget },
    visitorsBodies: { maxBytes: maxBodyBytesOfVisitors, budget },
    onUnread: boundUnread({
      budget: new ByteBudget({ ...limits.unread, addressOf }),
      maxMs: requestTimeoutMs,
      onRefused: () => metrics.onRefused('unread-bytes'),
    }),
    unreadMaxMs: requestTimeoutMs,
    onRefused: metrics.onRefused,
  })
  if (!(await checkPrivateMembers())) {
    options.logger.warn(
      'This Node handles HTTP in another way than Stet knows: it is served by the public API, and slower.',
    )
  }

  const app = Fastify({
    serverFactory: (others) => {
      const server = createHttpServer({ ...HEADS_AS_SENT, ...timeouts(limits) }, road.listener(others))
      limitConnections(server, {
        max: limits.maxConnections,
        maxPerAddress: limits.maxConnectionsPerAddress,
        trustsProxy,
        onRefused: metrics.onRefused,
      })
      server.on('timeout', (socket) => {
        if (socket.writableLength > 0) metrics.onRefused('unread')
        socket.destroy()
      })
      // An expectation that nobody knows is no reason to refuse: the answer is the same (RFC 9110, section 10.1.1).
      server.on('checkExpectation', (request, response) => server.emit('request', request, response))
      // A client that waits to send its body is told at once if it is too long.
      return server.on('checkContinue', (request, response) => {
        if (!isTooLong(request, maxBodyBytes)) response.writeContinue()
        server.emit('request', request, response)
      })
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') metrics.onRefused('timeout')
      answerClientError(error, socket)
    },
    // A URL that makes no sense is refused before any hook is called.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request, reply)
      answerError(error, request, reply)
    },
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
  app.addHook('onRequest', ({ raw, host }, _reply, done) => {
    // A star is for OPTIONS alone (RFC 9112, section 3.2.4).
    if (raw.url === '*') return done(new RefusedHead('The target of this method must be a path.'))
    const isNamed = hasHost(raw) && (host === '' || isHost(host))
    done(isNamed ? undefined : new RefusedHead('The Host header names no host.'))
  })
  app.addHook('onSend', (request, reply, _payload, done) => {
    setHeaders(request, reply)
    // Else the server would wait for a connection that nothing more is sent over.
    if (closing) reply.header('connection', 'close')
    if (reply.statusCode === 503) reply.header('retry-after', '1')
    done()
  })
  app.setErrorHandler<FastifyError>(answerError)
  answerNotFound(app)

  registerHealth(app, options.health, () => closing)
  if (options.metricsFor) registerMetrics(app, metrics, options.metricsFor)
  if (options.playground) await registerPlayground(app, options.playground)
  return app
}

/** What every answer has. */
function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id)
  reply.headers(SAFE_HEADERS)
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  if (request.protocol === 'https') reply.header('strict-transport-security', SECURE_HEADER)
}

const timeouts = ({ headTimeoutMs, requestTimeoutMs }: ServerLimits) => ({
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: headTimeoutMs,
  requestTimeout: requestTimeoutMs,
  connectionsCheckingInterval: Math.min(1000, Math.ceil(headTimeoutMs / 4)),
})

class RefusedHead extends Error {
  readonly statusCode = 400
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
