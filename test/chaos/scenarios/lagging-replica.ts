import { scenario } from '../scenario.ts'
import { laggingServers } from '../servers/lagging-servers.ts'

export default [
  scenario({
    name: 'the replica that nodes load from lags 5 s behind',
    onlyLong: true,
    servers: laggingServers,
    patienceMs: 10_000,
    async strike({ nodes, dice, hold, note }) {
      await hold(500, 1500)
      // What a new node knows least about is what the replica lacks.
      const node = dice.pick(nodes)
      note(`${node.name} is killed`)
      await node.kill()
      await node.start()
      note(`${node.name} serves again`)
    },
  }),
]
