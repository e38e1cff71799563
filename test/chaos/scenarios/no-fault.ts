import { scenario } from '../scenario.ts'
import { plainServers } from '../servers/plain-servers.ts'

export default [
  scenario({
    name: 'nothing fails',
    servers: plainServers,
    tolerates: { errors: [] },
    // A busy machine is no fault.
    patienceMs: 30_000,
    strike: ({ hold }) => hold(200, 400),
  }),
]
