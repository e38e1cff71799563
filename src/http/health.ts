import type { FastifyInstance } from 'fastify'
import { inTime } from '../kernel/in-time.ts'

/**
 * One check per dependency: resolves if it is well. If it is not `required`, a failure is told and the node stays ready.
 * HAZARD: everyone may read the message of an `UnwellError`. Of any other error nothing is told.
 */
export interface HealthChecks {
  readonly [dependency: string]: { readonly required: boolean; readonly check: () => Promise<unknown> }
}

/**
 * `/healthz`: the process answers. `/readyz`: it can serve, with a line for each dependency; never an error's text. Those who ask
 * at the same moment share one look at the dependencies.
 */
export function registerHealth(app: FastifyInstance, checks: HealthChecks, isClosing: () => boolean): void {
  let looking: ReturnType<typeof look> | undefined
  const look = () =>
    Promise.all(
      Object.entries(checks).map(async ([name, { required, check }]) => {
        const state = await inTime(
          check().then(() => 'ok'),
          CHECK_TIMEOUT_MS,
          () => 'failing',
        ).catch((error: unknown) => (error instanceof UnwellError ? `failing, because ${error.message}` : 'failing'))
        return { name, state, ready: state === 'ok' || !required }
      }),
    )
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    looking ??= look().finally(() => {
      looking = undefined
    })
    const results = await looking
    const closing = isClosing()
    const ready = !closing && results.every((result) => result.ready)
    const lines = [closing ? 'server: closing' : 'server: ok', ...results.map(({ name, state }) => `${name}: ${state}`)]
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(`${lines.join('\n')}\n`)
  })
}

/** Says why a dependency is not well, in words that everyone may read. */
export class UnwellError extends Error {
  override readonly name = 'UnwellError'
}

/** A dependency that hangs is not well either. */
const CHECK_TIMEOUT_MS = 1000
