import { scenario } from '../scenario.ts'
import { plainServers } from '../servers/plain-servers.ts'

export default [
  scenario({
    name: 'a node is killed, and started again',
    servers: plainServers,
    async strike({ nodes, dice, hold, note }) {
      const node = dice.pick(nodes)
      note(`${node.name} is killed`)
      await node.kill()
      await hold(0, 500)
      await node.start()
      note(`${node.name} serves again`)
    },
  }),

  scenario({
    name: 'a node is stopped in its tracks, and goes on later',
    servers: plainServers,
    // Else all of them would soon wait for that node.
    patienceMs: 500,
    async strike({ nodes, dice, hold, note }) {
      const node = dice.pick(nodes)
      note(`${node.name} is stopped`)
      node.pause()
      await hold(1000, 3000)
      node.resume()
      note(`${node.name} goes on`)
    },
  }),
]
