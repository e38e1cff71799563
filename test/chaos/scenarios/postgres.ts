import pg from 'pg'
import { afflict } from '../afflict.ts'
import { scenario } from '../scenario.ts'
import { plainServers } from '../servers/plain-servers.ts'
import { postgresServers } from '../servers/postgres-servers.ts'

export default [
  scenario({
    name: 'connections to PostgreSQL are reset at random',
    servers: plainServers,
    async strike({ servers, dice, hold, note }) {
      for (let times = 0; times < 5; times++) {
        const node = dice.below(servers.postgresProxies.length)
        const count = servers.postgresProxies[node]?.reset(0.5, () => dice.below(1000) / 1000)
        note(`${count} connections of node ${node} to PostgreSQL are reset`)
        await hold(20, 200)
      }
    },
  }),

  scenario({
    name: 'writes get their positions late, many at once',
    servers: plainServers,
    async strike({ servers, hold, note }) {
      const sequencer = new pg.Client({ connectionString: servers.databaseUrl })
      await sequencer.connect()
      for (let times = 0; times < 5; times++) {
        note('nobody can number records')
        await sequencer.query(`select pg_advisory_lock(hashtext('stet.sequence'))`)
        await hold(20, 150)
        await sequencer.query('select pg_advisory_unlock_all()')
        note('records are numbered again')
        await hold(10, 50)
      }
      await sequencer.end()
    },
  }),

  scenario({
    name: 'the connection that follows the log hangs',
    servers: plainServers,
    strike: (world) =>
      afflict(world, {
        to: 'PostgreSQL',
        proxies: world.servers.postgresProxies,
        what: 'is lost for ever, on the connections that follow the log',
        harm: (proxy) => proxy.halfOpen('stet.sequence'),
      }),
  }),

  scenario({
    name: 'the connection that listens hangs',
    servers: plainServers,
    onlyLong: true,
    strike: (world) =>
      afflict(world, {
        to: 'PostgreSQL',
        proxies: world.servers.postgresProxies,
        what: 'is lost for ever, on the connections that listen',
        harm: (proxy) => proxy.halfOpen('listen stet'),
      }),
  }),

  scenario({
    name: 'nothing passes between nodes and PostgreSQL for a while',
    onlyLong: true,
    servers: plainServers,
    // Else all of them would soon wait for that node.
    patienceMs: 1000,
    strike: (world) =>
      afflict(world, {
        to: 'PostgreSQL',
        proxies: world.servers.postgresProxies,
        what: 'is held',
        harm: (proxy) => proxy.stall(),
        leastMs: 500,
        // Beyond the time after which a log that doesn't answer counts as failed.
        mostMs: 13_000,
      }),
  }),

  scenario({
    name: 'PostgreSQL is killed, and started again',
    onlyLong: true,
    servers: postgresServers,
    async strike({ servers, hold, note }) {
      note('PostgreSQL is killed')
      await servers.postgres.kill()
      await hold(0, 1000)
      await servers.postgres.restart()
      note('PostgreSQL is back')
    },
  }),

  scenario({
    name: 'PostgreSQL is restarted in order',
    onlyLong: true,
    servers: postgresServers,
    async strike({ servers, note }) {
      note('PostgreSQL is restarted')
      await servers.postgres.restart()
      note('PostgreSQL is back')
    },
  }),

  scenario({
    name: 'PostgreSQL is stopped in its tracks, and goes on later',
    onlyLong: true,
    servers: postgresServers,
    patienceMs: 1000,
    async strike({ servers, hold, note }) {
      note('PostgreSQL is stopped')
      await servers.postgres.pause()
      await hold(200, 3000)
      await servers.postgres.resume()
      note('PostgreSQL goes on')
    },
  }),
]
