import type { StruckWorld } from '../scenario.ts'
import { scenario } from '../scenario.ts'
import { type RestorableServers, restorableServers } from '../servers/restorable-servers.ts'

/** What was written since the dump: PostgreSQL itself has lost it. */
const tolerates = { losses: ['lost write', 'lost view'] } as const

export default [
  scenario({
    name: 'a dump of some seconds ago is restored in place while no node lives',
    onlyLong: true,
    servers: restorableServers,
    tolerates,
    strike: (world) => restore(world, (servers) => servers.restoreInPlace()),
  }),

  scenario({
    name: 'a dump of some seconds ago is restored into a fresh cluster while no node lives',
    onlyLong: true,
    servers: restorableServers,
    tolerates,
    strike: (world) => restore(world, (servers) => servers.restoreElsewhere()),
  }),
]

async function restore(
  { servers, nodes, hold, note }: StruckWorld<RestorableServers>,
  put: (servers: RestorableServers) => Promise<unknown>,
): Promise<void> {
  await servers.dump()
  note('a dump was taken')
  await hold(500, 3000)
  await Promise.all(nodes.map((node) => node.kill()))
  note('no node lives')
  await put(servers)
  note('the dump was restored')
  await Promise.all(nodes.map((node) => node.start()))
  note('nodes serve again')
}
