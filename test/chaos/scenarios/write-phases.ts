import { inTime } from '../../../src/kernel/in-time.ts'
import { scenario } from '../scenario.ts'
import type { Moment } from '../servers/tripwire.ts'
import { tripwireServers } from '../servers/tripwire-servers.ts'

export default [
  scenario({
    name: 'a node is killed in any phase of a write, and started again',
    servers: tripwireServers,
    async strike({ servers, nodes, dice, note }) {
      const node = dice.pick(nodes)
      const { what, to, message, after } = dice.pick(PHASES)
      const moment = dice.pick(MOMENTS)
      const wire = servers[to][nodes.indexOf(node)]
      const sprung = new Promise<void>((resolve) => {
        const spring = () => {
          note(`${node.name} is killed at ${what}, ${moment}`)
          node.kill().then(resolve)
        }
        wire?.set({ message, after, moment, spring })
      })
      // Where nobody happens to write so on this node.
      await inTime(sprung, PATIENCE_MS, () => {})
      wire?.set(undefined)
      await node.kill()
      await node.start()
      note(`${node.name} serves again`)
    },
  }),
]

interface Phase {
  readonly what: string
  readonly to: 'toPostgres' | 'toRedis'
  readonly message: RegExp
  readonly after?: RegExp
}

const WRITE = /\b(insert into|update|delete from) "?(articles|users|tags)/

/** What a node sends while it writes, in this order; where it writes one statement, neither begin nor commit. Once it has heard the last, it answers. */
const PHASES: readonly Phase[] = [
  { what: 'begin', to: 'toPostgres', message: /\bbegin\b/i },
  { what: 'the statement', to: 'toPostgres', message: WRITE },
  { what: 'the count of views', to: 'toPostgres', message: /update article_stats set views/ },
  { what: 'commit', to: 'toPostgres', message: /\bcommit\b/i },
  // Without a write before it would be one of those that only look.
  { what: 'stet.sequence()', to: 'toPostgres', message: /stet\.sequence\(\)/, after: WRITE },
  { what: 'PUBLISH', to: 'toRedis', message: /\bpublish\b/i },
]

const MOMENTS: readonly Moment[] = ['before it is sent', 'before its answer', 'after its answer']
const PATIENCE_MS = 1000
