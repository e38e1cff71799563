import { LOST_PASTS } from '../../harness/index.ts'
import { type StruckWorld, scenario } from '../scenario.ts'
import { type ForgetfulServers, forgetfulServers } from '../servers/forgetful-servers.ts'

/** What was written since the mark: PostgreSQL itself has lost it. */
const tolerates = { losses: ['lost write', 'lost view'] } as const
const crash = LOST_PASTS['the server crashes under synchronous_commit=off']
const promotion = LOST_PASTS['another standby is promoted from the same point']

export default [
  ...Object.entries(LOST_PASTS).map(([way, begin]) =>
    scenario({
      name: `${way} while no node lives`,
      onlyLong: true,
      servers: forgetfulServers(begin),
      tolerates,
      strike: loseWhileNoNodeLives,
    }),
  ),

  scenario({
    name: 'the server crashes under synchronous_commit=off while no node lives, and entries are signed',
    onlyLong: true,
    servers: forgetfulServers(crash, { CACHE_SECRET: 'a secret of the tests, of 32 bytes' }),
    tolerates,
    strike: loseWhileNoNodeLives,
  }),

  ...[crash, promotion].map((begin) =>
    scenario({
      name: `${begin === crash ? 'the server crashes under synchronous_commit=off' : 'another standby is promoted from the same point'} while nodes live`,
      onlyLong: true,
      servers: forgetfulServers(begin),
      tolerates,
      strike: loseWhileNodesLive,
    }),
  ),

  scenario({
    name: 'the server crashes under synchronous_commit=off while the only node that lives hears of it by Redis alone',
    onlyLong: true,
    servers: forgetfulServers(crash),
    tolerates,
    async strike(world) {
      const { servers, nodes, dice, hold, note, lost } = world
      await mark(world)
      const cutOff = dice.below(nodes.length)
      const others = nodes.filter((_, number) => number !== cutOff)
      await Promise.all(others.map((node) => node.kill()))
      note(`only node ${cutOff} lives`)
      const ends = await servers.lose(cutOff)
      await Promise.all(others.map((node) => node.start()))
      note(`the others serve again, and node ${cutOff} can't reach PostgreSQL`)
      await hold(1000, 4000)
      await servers.heal()
      note(`node ${cutOff} can reach it`)
      await hold(NOTICED_MS, NOTICED_MS + 1000)
      lost(ends)
    },
  }),
]

async function loseWhileNoNodeLives(world: StruckWorld<ForgetfulServers>): Promise<void> {
  const { servers, nodes, hold, note, lost } = world
  if (!servers.canLose()) return hold(200, 400)
  await mark(world)
  await Promise.all(nodes.map((node) => node.kill()))
  note('no node lives')
  lost(await servers.lose())
  for (const node of nodes) {
    await node.start()
    note(`${node.name} serves again`)
    await hold(0, 1000)
  }
}

async function loseWhileNodesLive(world: StruckWorld<ForgetfulServers>): Promise<void> {
  const { servers, nodes, dice, hold, note, lost } = world
  if (!servers.canLose()) return hold(200, 400)
  await mark(world)
  const ends = await servers.lose()
  note('what was written since is lost')
  const node = dice.pick(nodes)
  await node.kill()
  await node.start()
  note(`${node.name} was started again`)
  // Until a node has looked at the log again, its answers are of the lost past.
  await hold(NOTICED_MS, NOTICED_MS + 1000)
  lost(ends)
}

async function mark({ servers, hold, note }: StruckWorld<ForgetfulServers>): Promise<void> {
  await servers.mark()
  note('what is written from now on will be lost')
  await hold(500, 3000)
}

const NOTICED_MS = 4000
