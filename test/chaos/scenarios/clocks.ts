import { scenario } from '../scenario.ts'
import { serversAndClocks } from '../servers/servers-and-clocks.ts'

export default [
  scenario({
    name: 'the clocks of nodes are an hour apart',
    onlyLong: true,
    servers: serversAndClocks,
    // As where nothing fails.
    tolerates: { errors: ['NOT_CAUGHT_UP', 'OVERLOADED'] },
    patienceMs: 30_000,
    strike: ({ hold }) => hold(200, 400),
  }),
]
