import { Redis } from 'ioredis'
import { scenario } from '../scenario.ts'
import { snapshotServers } from '../servers/snapshot-servers.ts'

export default [
  scenario({
    name: 'Redis is killed, and comes back with what it held some seconds ago',
    servers: snapshotServers,
    tolerates: { errors: ['OVERLOADED', 'TIMEOUT', 'NOT_CAUGHT_UP'], losses: ['lost view'] },
    async strike({ servers: { redis }, hold, note }) {
      const admin = new Redis(redis.url)
      await admin.save()
      admin.disconnect()
      note('Redis takes a snapshot')
      await hold(300, 3000)
      note('Redis is killed')
      await redis.kill()
      await hold(0, 1000)
      await redis.restart({ keepData: true })
      note('Redis is back, with the snapshot')
    },
  }),
]
