import { afflict } from '../afflict.ts'
import { type StruckWorld, scenario } from '../scenario.ts'
import { laggingServers, type ReplicaServers, replicaServers } from '../servers/replica-servers.ts'

export default [
  scenario({
    name: 'the replica that nodes load from is stopped in its tracks, while a node starts, and goes on later',
    servers: replicaServers,
    // Of the node that is killed, and nothing else.
    tolerates: { errors: ['NETWORK'] },
    async strike(world) {
      const { servers, hold, note } = world
      note('the replica is stopped')
      await servers.standby.pause()
      await hold(200, 1500)
      await startAgain(world)
      await hold(200, 1500)
      await servers.standby.resume()
      note('the replica goes on')
    },
  }),

  scenario({
    name: 'nothing passes between nodes and the replica that they load from, for a moment or for ever',
    onlyLong: true,
    servers: replicaServers,
    tolerates: { errors: [] },
    async strike(world) {
      const proxies = world.servers.replicaProxies
      const to = 'the replica'
      await afflict(world, { to, proxies, what: 'is held back', harm: (proxy) => proxy.stall() })
      const what = 'is lost for ever, on the connections there are'
      await afflict(world, { to, proxies, what, harm: (proxy) => proxy.halfOpen() })
    },
  }),

  scenario({
    name: 'the replica that nodes load from lags 5 s behind',
    onlyLong: true,
    servers: laggingServers,
    patienceMs: 10_000,
    async strike(world) {
      await world.hold(500, 1500)
      // What a new node knows least about is what the replica lacks.
      await startAgain(world)
    },
  }),
]

async function startAgain({ nodes, dice, note }: StruckWorld<ReplicaServers>): Promise<void> {
  const node = dice.pick(nodes)
  note(`${node.name} is killed`)
  await node.kill()
  await node.start()
  note(`${node.name} serves again`)
}
