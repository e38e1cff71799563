import { afflict } from '../afflict.ts'
import { scenario, type Tolerance } from '../scenario.ts'
import { plainServers } from '../servers/plain-servers.ts'

/** Redis matters to nothing else. Whatever a busy machine takes too long for is a time-out. */
const viewsOnly: Tolerance = { errors: ['OVERLOADED', 'TIMEOUT', 'NOT_CAUGHT_UP'] }

export default [
  scenario({
    name: 'Redis is killed, and comes back empty',
    servers: plainServers,
    tolerates: { ...viewsOnly, losses: ['lost view'] },
    async strike({ servers, hold, note }) {
      note('Redis is killed')
      await servers.redis.kill()
      await hold(100, 1500)
      await servers.redis.restart({ keepData: false })
      note('Redis is back, empty')
    },
  }),

  scenario({
    name: 'Redis is killed, and comes back with its data',
    servers: plainServers,
    tolerates: viewsOnly,
    async strike({ servers, hold, note }) {
      note('Redis is killed')
      await servers.redis.kill()
      await hold(100, 1500)
      await servers.redis.restart({ keepData: true })
      note('Redis is back, with its data')
    },
  }),

  scenario({
    name: 'connections to Redis are reset at random',
    servers: plainServers,
    tolerates: viewsOnly,
    async strike({ servers, dice, hold, note }) {
      for (let times = 0; times < 5; times++) {
        const node = dice.below(servers.redisProxies.length)
        const count = servers.redisProxies[node]?.reset(0.5, () => dice.below(1000) / 1000)
        note(`${count} connections of node ${node} to Redis are reset`)
        await hold(20, 200)
      }
    },
  }),

  scenario({
    name: 'every other message between nodes is lost',
    servers: plainServers,
    tolerates: viewsOnly,
    strike: (world) =>
      afflict(world, {
        to: 'Redis',
        proxies: world.servers.redisProxies,
        what: 'loses every other message of pub/sub',
        harm: (proxy) => proxy.loseMessages(2),
      }),
  }),

  scenario({
    name: 'messages between nodes and Redis take 300 ms',
    servers: plainServers,
    tolerates: viewsOnly,
    strike: (world) =>
      afflict(world, {
        to: 'Redis',
        proxies: world.servers.redisProxies,
        what: 'is 300 ms late',
        harm: (proxy) => proxy.delay(300),
      }),
  }),

  scenario({
    name: 'messages between nodes and Redis are held for 300 ms',
    servers: plainServers,
    tolerates: viewsOnly,
    strike: (world) =>
      afflict(world, {
        to: 'Redis',
        proxies: world.servers.redisProxies,
        what: 'is held for 300 ms',
        harm: (proxy) => proxy.stall(),
        leastMs: 300,
        mostMs: 300,
      }),
  }),
]
