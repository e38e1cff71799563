// A source that is slow and not in PostgreSQL, and a purge that keeps nobody waiting.
//
//   DATABASE_URL=postgres://… node examples/soft-purge.mjs
import pg from 'pg'
import { Cache, Ledger, softly } from 'stet/cache'
import { Follower, installStet, Log } from 'stet/invalidation'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
await installStet(pool)
const ledger = new Ledger()
const follower = new Follower({ log: new Log(pool), ledger })
await follower.start()
const cache = new Cache({ ledger, settle: () => follower.settle() })

// What a server elsewhere would answer.
const elsewhere = { EUR: 1.08 }

const rates = cache.kind({
  name: 'rate',
  ttlMs: 60_000,
  grace: { staleWhileRevalidateMs: 60_000 },
  key: String,
  tags: () => ['rates'],
  load: async (currencies) => {
    // HAZARD: take the position before you ask. A purge that comes meanwhile must outdate what is loaded.
    const asOf = ledger.seen
    return { asOf, unsettled: true, values: currencies.map((currency) => elsewhere[currency]) }
  },
})
console.log('first', await rates.get('EUR'))

// The log can't see this change: somebody must tell it. After a hard purge the next read waits for the load.
elsewhere.EUR = 1.09
await purge('rates')
console.log('after a hard purge', await rates.get('EUR'))

// After a soft purge the next read is answered at once with the old rate, and begins the load that replaces it.
elsewhere.EUR = 1.1
await purge(softly('rates'))
console.log('after a soft purge', await rates.get('EUR'))

// A reader that must not have the old rate says so, and waits for that load.
console.log('fresh', await rates.get('EUR', { fresh: true }))
console.log('then', await rates.get('EUR'))

await follower.stop()
await pool.end()

/** Writes a tag to the log. Once that is settled, this process judges by it, and soon every other. */
async function purge(tag) {
  await pool.query('select stet.touch($1)', [tag])
  await follower.settle()
}
