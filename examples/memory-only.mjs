// A cache in the memory of one process, in front of one table.
//
//   DATABASE_URL=postgres://… node examples/memory-only.mjs
import pg from 'pg'
import { Cache, Ledger, rowTag } from 'stet/cache'
import { Follower, installStet, Log } from 'stet/invalidation'

// 1. Once per database: the log, a table, and the trigger that writes the table's changes to the log.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
await installStet(pool)
await pool.query(`
  create table if not exists cities (id int primary key, people int not null);
  insert into cities values (1, 100) on conflict (id) do update set people = 100;
  select stet.watch('cities', 'id')`)

// 2. Once per process: a ledger that follows the log, and a cache that asks the ledger whether an entry still stands.
const ledger = new Ledger()
const follower = new Follower({ log: new Log(pool), ledger })
await follower.start()
const cache = new Cache({ ledger, settle: () => follower.settle() })

// 3. Once per kind of entry: how it is loaded, and which rows it depends on.
const cities = cache.kind({
  name: 'city',
  ttlMs: 60_000,
  key: String,
  tags: (id) => [rowTag('cities', id)],
  load: async (ids) => {
    console.log(`loads ${ids}`)
    // HAZARD: stet.as_of must stand in the statement that reads the rows. It says which writes that statement saw.
    const { rows } = await pool.query(
      'select position, unsettled, id, people from stet.as_of left join cities on id = any($1)',
      [ids],
    )
    const values = ids.map((id) => rows.find((row) => row.id === id)?.people)
    return { asOf: Number(rows[0].position), unsettled: rows[0].unsettled, values }
  },
})

// 4. Reads come from memory until a write is committed. After a write of your own, settle: then every read here shows it.
console.log(await cities.get(1))
console.log(await cities.get(1))
await pool.query('update cities set people = 101 where id = 1')
await follower.settle()
console.log(await cities.get(1))

await follower.stop()
await pool.end()
