import type { FastifyInstance } from 'fastify'

/**
 * Answers what no route does: 405 with `Allow` if the path is there for GET, otherwise 404. In the shape that GraphQL clients expect, and
 * alike for GET and HEAD: Fastify's own answer names the method.
 */
export function answerNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler(({ url, method }, reply) => {
    const [path = ''] = url.split('?', 1)
    const isThere = app.hasRoute({ method: 'GET', url: path })
    if (isThere) reply.header('allow', 'GET, HEAD')
    const message = isThere ? `${method} is not answered here: GET and HEAD are.` : 'Nothing is here.'
    const error = { message, extensions: { code: 'BAD_REQUEST' } }
    return reply.code(isThere ? 405 : 404).send({ errors: [error] })
  })
}
