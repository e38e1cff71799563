import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApolloServer } from '@apollo/server'
import { fastifyApolloHandler } from '@as-integrations/fastify'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Ledger } from '../cache/index.ts'
import type { Database } from '../database/database.ts'
import { catchUp } from '../graphql/catch-up.ts'
import { MASKED, toGraphQLError } from '../graphql/mask-errors.ts'
import { createRequestContext } from '../graphql/request-context.ts'
import type { Follower } from '../invalidation/index.ts'
import { AskerError } from '../kernel/errors.ts'
import type { Authenticate } from '../request/authenticate.ts'
import type { Context } from '../request/context.ts'
import { formatToken } from '../request/format-token.ts'
import { type HealthChecks, registerHealth } from './health.ts'
import { type Metrics, registerMetrics } from './metrics.ts'
import { type PlaygroundOptions, registerPlayground } from './playground.ts'

export interface ServerOptions {
  readonly api: ApolloServer<Context>
  readonly authenticate: Authenticate
  readonly database: Database
  readonly follower: Follower
  readonly ledger: Ledger
  readonly catchUpTimeoutMs: number
  /** For how long to answer while the log can't be read, in milliseconds. 0: for ever. */
  readonly logSilenceMaxMs: number
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

/** Every route of a node. The way of a GraphQL request, from top to bottom: `/graphql` below, then `graphql/api.ts`. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 4 * 1024 * 1024,
    trustProxy: options.trustProxy,
    genReqId: ({ headers: { 'x-request-id': given } }) =>
      typeof given === 'string' && /^[\w.:=+/-]{1,200}$/.test(given) ? given : randomUUID(),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  })
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
    await sleep(options.shutdownDelayMs)
    const cut = setTimeout(() => app.server.closeAllConnections(), options.shutdownTimeoutMs).unref()
    app.server.once('close', () => clearTimeout(cut))
  })
  app.addHook('onRequest', async (request) => {
    if (!URL.canParse(`http://${request.host}/`)) throw new InvalidHost()
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id)
    // Requests that are refused before they run are answered by this node all the same.
    if (request.routeOptions.url === '/graphql' && !reply.hasHeader('stet-as-of')) {
      reply.header('stet-as-of', formatToken(options.ledger.seen, options.ledger.epoch))
    }
    // Else the server would wait for a connection that nothing more is sent over.
    if (closing) reply.header('connection', 'close')
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Bearer')
    if (reply.statusCode === 503) reply.header('retry-after', '1')
  })
  app.setErrorHandler<FastifyError>(answerError)
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    handler: fastifyApolloHandler(options.api, { context: (request) => requestContext(options, request) }),
  })
  registerHealth(app, options.health, () => closing)
  registerMetrics(app, options.metrics)
  await registerPlayground(app, options.playground)
  return app
}

/** Whoever reads the URL of a request would fall over it (RFC 9112, section 3.2). */
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

/** Who asks, and from which position on: settled before anything is read. */
async function requestContext(options: ServerOptions, request: FastifyRequest): Promise<Context> {
  const { authenticate, database, follower, ledger, catchUpTimeoutMs, logSilenceMaxMs } = options
  const { authorization, 'stet-as-of': token, 'cache-control': cacheControl } = request.headers
  try {
    const viewer = await authenticate(authorization)
    const unsure = isUnsure(follower, logSilenceMaxMs)
    const position =
      typeof token === 'string' && token !== '' ? await catchUp(token, follower, ledger, catchUpTimeoutMs) : 0
    // For whoever is signed in: else any visitor could send every read to the database.
    const bypass = viewer.kind !== 'visitor' && /\bno-cache\b/.test(cacheControl ?? '')
    const { id: requestId, ip: address } = request
    return createRequestContext({
      database,
      follower,
      ledger,
      requestId,
      viewer,
      address,
      bypass,
      position,
      unsure,
    })
  } catch (error) {
    throw toGraphQLError(error as Error, request.id)
  }
}

/** Others may have written what this node can't hear of. Throws where that has gone on for too long. */
function isUnsure({ unsureForMs, beatMs }: Follower, maxMs: number): boolean {
  if (maxMs > 0 && unsureForMs > maxMs) {
    throw new AskerError('UNAVAILABLE', 'This node has not heard of any change for too long: try another.', {
      status: 503,
    })
  }
  // A beat may be late on a busy machine.
  return unsureForMs > Math.max(2000, 4 * beatMs)
}
