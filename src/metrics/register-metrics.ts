import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.ts'

export interface RegisterMetricsOptions {
  /** What a bearer must say. Undefined: everyone may read them. */
  readonly token: string | undefined
}

/** Serves the metrics at `/metrics` in the Prometheus text format. Those who ask at the same moment share one reading. */
export function registerMetrics(app: FastifyInstance, { registry }: Metrics, { token }: RegisterMetricsOptions): void {
  const expected = token === undefined ? undefined : `Bearer ${token}`
  let reading: Promise<string> | undefined
  const read = (): Promise<string> => {
    reading ??= registry.metrics().finally(() => {
      reading = undefined
    })
    return reading
  }
  app.get('/metrics', async ({ headers: { authorization = '' } }, reply) => {
    if (expected !== undefined && !isSame(authorization, expected)) {
      const errors = [
        { message: 'METRICS_TOKEN is needed, as a bearer token.', extensions: { code: 'UNAUTHENTICATED' } },
      ]
      return reply.code(401).header('www-authenticate', 'Bearer').send({ errors })
    }
    return reply.type(registry.contentType).send(await read())
  })
}

/** In a time that tells nothing of the text. */
const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', expected, 'buffer'))
