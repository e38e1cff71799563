import { scenario } from '../scenario.ts'
import { plainServers } from '../servers/plain-servers.ts'

export default [
  scenario({
    name: 'nothing fails',
    servers: plainServers,
    // A machine may be busy: that is said, too, and is no fault.
    tolerates: { errors: ['NOT_CAUGHT_UP', 'OVERLOADED'] },
    patienceMs: 30_000,
    strike: ({ hold }) => hold(200, 400),
  }),
]
