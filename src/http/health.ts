import type { FastifyInstance } from 'fastify'
import { inTime } from '../kernel/in-time.ts'

/** One check per dependency: resolves where it is well. Without `required` a failure is told, but the node stays ready. */
export interface HealthChecks {
  readonly [dependency: string]: { readonly required: boolean; readonly check: () => Promise<unknown> }
}

/** `/healthz`: the process answers. `/readyz`: it can serve, with a line per dependency; never an error's text. */
export function registerHealth(app: FastifyInstance, checks: HealthChecks, isClosing: () => boolean): void {
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, { required, check }]) => {
        const well = await inTime(
          check().then(() => true),
          CHECK_TIMEOUT_MS,
          () => false,
        ).catch(() => false)
        return { name, well, ready: well || !required }
      }),
    )
    const closing = isClosing()
    const ready = !closing && results.every((result) => result.ready)
    const lines = [
      closing ? 'server: closing' : 'server: ok',
      ...results.map(({ name, well }) => `${name}: ${well ? 'ok' : 'failing'}`),
    ]
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(`${lines.join('\n')}\n`)
  })
}

/** A dependency that hangs is not well either. */
const CHECK_TIMEOUT_MS = 1000
