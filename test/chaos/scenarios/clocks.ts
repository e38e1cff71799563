import { scenario } from '../scenario.ts'
import { jumpingClocks } from '../servers/jumping-clocks.ts'
import { serversAndClocks } from '../servers/servers-and-clocks.ts'

/** As where nothing fails. */
const tolerates = { errors: ['NOT_CAUGHT_UP', 'OVERLOADED'] }

export default [
  scenario({
    name: 'the clocks of nodes are an hour apart',
    onlyLong: true,
    servers: serversAndClocks,
    tolerates,
    patienceMs: 30_000,
    strike: ({ hold }) => hold(200, 400),
  }),

  scenario({
    name: 'the clock of a node jumps an hour ahead or back, and is put right',
    onlyLong: true,
    servers: jumpingClocks,
    tolerates,
    patienceMs: 30_000,
    async strike({ servers, nodes, dice, hold, note }) {
      const node = dice.below(nodes.length)
      const hours = dice.pick([-1, 1])
      servers.setClock(node, hours * 3_600_000)
      note(`the clock of node ${node} jumps by ${hours} h`)
      await hold(200, 2000)
      servers.setClock(node, 0)
      note(`the clock of node ${node} is right again`)
    },
  }),
]
