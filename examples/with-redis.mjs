// Two processes that share what they load, through Redis. (Here both run in one, to keep the example short.)
//
//   DATABASE_URL=postgres://… REDIS_URL=redis://… node examples/with-redis.mjs
import { once } from 'node:events'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Cache, Ledger, RedisTier, rowTag } from 'stet/cache'
import { catchUp, Follower, formatToken, installStet, Log, RedisLoudspeaker } from 'stet/invalidation'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
await installStet(pool)
await pool.query(`
  create table if not exists cities (id int primary key, people int not null);
  insert into cities values (1, 100) on conflict (id) do update set people = 100;
  select stet.watch('cities', 'id')`)

async function startProcess(name) {
  // Commands fail at once while Redis is away: then the cache reads PostgreSQL. The subscriber waits until Redis is back.
  const redis = new Redis(process.env.REDIS_URL, { enableOfflineQueue: false, commandTimeout: 1000 })
  const subscriber = new Redis(process.env.REDIS_URL)
  await Promise.all([once(redis, 'ready'), once(subscriber, 'ready')])
  const onError = (error) => console.error(error.message)

  const ledger = new Ledger()
  const loudspeakers = [new RedisLoudspeaker({ publisher: redis, subscriber, channel: 'cities:log', onError })]
  const follower = new Follower({ log: new Log(pool), ledger, loudspeakers })
  await follower.start()

  const remote = new RedisTier({ redis, subscriber, channel: 'cities:leases', onError })
  const cache = new Cache({ ledger, settle: () => follower.settle(), remote, namespace: 'cities:' })
  const cities = cache.kind({
    name: 'city',
    ttlMs: 60_000,
    key: String,
    tags: (id) => [rowTag('cities', id)],
    load: async (ids) => {
      console.log(`${name} loads ${ids}`)
      const { rows } = await pool.query(
        'select position, unsettled, id, people from stet.as_of left join cities on id = any($1)',
        [ids],
      )
      const values = ids.map((id) => rows.find((row) => row.id === id)?.people)
      return { asOf: Number(rows[0].position), unsettled: rows[0].unsettled, values }
    },
  })
  const stop = async () => {
    // Others may wait for what this process loads: this gives back its leases.
    await cache.close(5000)
    await follower.stop()
    for (const client of [redis, subscriber]) client.disconnect()
  }
  return { ledger, follower, remote, cities, stop }
}

const [one, two] = [await startProcess('one'), await startProcess('two')]

// What one process has loaded, the other takes from Redis. Entries are sent there in the background: flush waits for that.
console.log('one has', await one.cities.get(1))
await one.remote.flush()
console.log('two has', await two.cities.get(1))

// A write by one. Its token takes the client that wrote to another process, which catches up before it reads.
await pool.query('update cities set people = 101 where id = 1')
await one.follower.settle()
const token = formatToken(one.ledger.seen, one.ledger.epoch)
await catchUp(token, two.follower, two.ledger, 5000)
console.log('two has', await two.cities.get(1))

await Promise.all([one.stop(), two.stop()])
await pool.end()
