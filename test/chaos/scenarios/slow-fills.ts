import { afflict } from '../afflict.ts'
import { scenario } from '../scenario.ts'
import { plainServers } from '../servers/plain-servers.ts'

export default [
  scenario({
    name: 'what PostgreSQL tells a node is 50 ms late, and messages overtake it',
    servers: plainServers,
    strike: (world) =>
      afflict(world, {
        to: 'PostgreSQL',
        proxies: world.servers.postgresProxies,
        what: 'is 50 ms late',
        harm: (proxy) => proxy.delay(50),
      }),
  }),
]
