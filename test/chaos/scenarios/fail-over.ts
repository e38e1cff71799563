import { scenario } from '../scenario.ts'
import { failOverServers } from '../servers/fail-over-servers.ts'

export default [
  scenario({
    name: 'a standby that lacks the last writes takes over',
    onlyLong: true,
    servers: failOverServers,
    // What only the old primary had: PostgreSQL itself has lost it.
    tolerates: { losses: ['lost write', 'lost view'] },
    async strike({ servers, hold, note }) {
      if (!servers.canFailOver()) return hold(200, 400)
      await hold(1000, 2000)
      await servers.cutStandbyOff()
      note('the standby hears nothing more')
      await hold(100, 1000)
      note('the primary dies')
      await servers.failOver()
      note('the standby has taken over')
    },
  }),
]
