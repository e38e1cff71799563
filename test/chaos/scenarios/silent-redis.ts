import { afflict } from '../afflict.ts'
import { type StruckWorld, scenario, type Tolerance } from '../scenario.ts'
import { type PlainServers, plainServers } from '../servers/plain-servers.ts'

const viewsOnly: Tolerance = { errors: ['OVERLOADED', 'TIMEOUT', 'NOT_CAUGHT_UP'] }

export default [
  scenario({
    name: 'Redis is stopped in its tracks, and goes on after a moment',
    servers: plainServers,
    tolerates: viewsOnly,
    strike: (world) => pause(world, 200, 1500),
  }),

  scenario({
    name: 'Redis is stopped in its tracks for ten seconds',
    servers: plainServers,
    tolerates: viewsOnly,
    onlyLong: true,
    strike: (world) => pause(world, 10_000, 10_000),
  }),

  scenario({
    name: 'of messages between nodes and Redis, 20 kB pass in a second',
    servers: plainServers,
    tolerates: viewsOnly,
    onlyLong: true,
    strike: (world) =>
      afflict(world, {
        to: 'Redis',
        proxies: world.servers.redisProxies,
        what: 'is held to 20 kB a second',
        harm: (proxy) => proxy.throttle(20_000),
      }),
  }),

  scenario({
    name: 'connections to Redis stay, and nothing gets through them any more',
    servers: plainServers,
    tolerates: viewsOnly,
    onlyLong: true,
    strike: (world) =>
      afflict(world, {
        to: 'Redis',
        proxies: world.servers.redisProxies,
        what: 'is lost for ever, on the connections there are',
        harm: (proxy) => proxy.halfOpen(),
        // Until they are given up.
        leastMs: 1000,
        mostMs: 5000,
      }),
  }),

  scenario({
    name: 'subscribers of Redis hear nothing any more, and are not told',
    servers: plainServers,
    strike: (world) =>
      afflict(world, {
        to: 'Redis',
        proxies: world.servers.redisProxies,
        what: 'is lost for ever, on the connections that subscribe',
        harm: (proxy) => proxy.halfOpen('subscribe'),
        leastMs: 500,
        mostMs: 3000,
      }),
  }),

  scenario({
    name: 'Redis sends what nobody asked for',
    servers: plainServers,
    tolerates: viewsOnly,
    async strike({ servers, dice, hold, note }) {
      for (let times = 0; times < 5; times++) {
        const node = dice.below(servers.redisProxies.length)
        const nonsense = NONSENSE[dice.below(NONSENSE.length)] ?? ''
        const count = servers.redisProxies[node]?.inject(nonsense, '')
        note(`${count} connections of node ${node} to Redis are sent ${JSON.stringify(nonsense)}`)
        await hold(20, 300)
      }
    },
  }),
]

const NONSENSE = [
  '$-1\r\n',
  '*1\r\n$-1\r\n',
  '-ERR out of the blue\r\n',
  '?what\r\n',
  '$99999999999\r\n',
  '*30000000\r\n',
]

async function pause({ servers, hold, note }: StruckWorld<PlainServers>, leastMs: number, mostMs: number) {
  note('Redis is stopped')
  await servers.redis.pause()
  await hold(leastMs, mostMs)
  await servers.redis.resume()
  note('Redis goes on')
}
