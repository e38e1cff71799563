import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

export interface PlaygroundOptions {
  /** The built page: `dist/playground`. */
  readonly directory: string
  /** Shown in the page. */
  readonly version: string
  /** Demo mode only. HAZARD: makes an admin of everyone who can open the page. */
  readonly demoToken?: string
}

/** Serves the playground at `/graphiql`, and leads `/` there. The page needs no other host. */
export async function registerPlayground(app: FastifyInstance, options: PlaygroundOptions): Promise<void> {
  const { directory, version, demoToken } = options
  const isBuilt = existsSync(join(directory, 'index.html'))

  app.get('/', (_request, reply) => reply.redirect('/graphiql', 302))

  app.get('/graphiql/config.json', (request, reply) => {
    reply.header('cache-control', 'no-store')
    return { name: 'Stet', version, demoToken: isLoopback(request.hostname) ? demoToken : undefined }
  })

  // In a scope of its own, so that `sendFile` stays out of the rest of the server.
  await app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: join(directory, 'assets'),
      prefix: '/graphiql/assets/',
      serve: isBuilt,
      index: false,
      maxAge: '1y',
      immutable: true,
      preCompressed: true,
      setHeaders: (response) => response.setHeader('vary', 'accept-encoding'),
    })
    const sendPage = (_request: FastifyRequest, reply: FastifyReply) =>
      isBuilt
        ? reply.headers(pageHeaders).sendFile('index.html', directory, { cacheControl: false })
        : reply.code(404).send('The playground is not built: npm run build:playground\n')
    scope.get('/graphiql', sendPage)
    scope.get('/graphiql/', sendPage)
  })
}

const pageHeaders = {
  'cache-control': 'no-cache',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "connect-src 'self'",
    // Monaco writes style elements, and GraphiQL carries its fonts and icons inside its style sheet.
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self' data:",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
}

/**
 * Whether the page was asked for by a loopback name. A hostile site that points its own name at 127.0.0.1
 * (DNS rebinding) reaches us as same-origin, but its name gives it away: it must not be handed the token.
 */
function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(hostname)
}
