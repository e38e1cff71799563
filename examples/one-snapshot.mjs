// Two rows that belong together, read as they were at one moment, while transactions change both.
//
//   DATABASE_URL=postgres://… node examples/one-snapshot.mjs
import pg from 'pg'
import { Cache, Ledger, rowTag } from 'stet/cache'
import { Follower, installStet, Log } from 'stet/invalidation'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
await installStet(pool)
await pool.query(`
  create table if not exists accounts (id int primary key, amount int not null);
  insert into accounts values (1, 50), (2, 50) on conflict (id) do update set amount = 50;
  select stet.watch('accounts', 'id')`)

const ledger = new Ledger()
const follower = new Follower({ log: new Log(pool), ledger })
await follower.start()

// What keeps changing while it is read is read in one transaction in the end.
async function openSnapshot(work) {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    return await work({ client })
  } finally {
    await client.query('rollback')
    client.release()
  }
}
const cache = new Cache({ ledger, settle: () => follower.settle(), openSnapshot })

const accounts = cache.kind({
  name: 'account',
  ttlMs: 60_000,
  key: String,
  tags: (id) => [rowTag('accounts', id)],
  load: async (ids, source) => {
    const { rows } = await (source.client ?? pool).query(
      'select position, unsettled, id, amount from stet.as_of left join accounts on id = any($1)',
      [ids],
    )
    const values = ids.map((id) => rows.find((row) => row.id === id)?.amount)
    return { asOf: Number(rows[0].position), unsettled: rows[0].unsettled, values }
  },
})

const move = (amount) =>
  pool.query(`update accounts set amount = amount + case id when 1 then ${-amount} else ${amount} end`)

let isMoving = true
const moving = (async () => {
  while (isMoving) await move(1)
})()

// One after the other: without `snapshot`, a transaction between the two reads would change the sum.
async function sum(reader) {
  return (await accounts.get(1, reader)) + (await accounts.get(2, reader))
}
const sums = new Set()
for (let n = 0; n < 200; n++) sums.add((await cache.snapshot(sum)).value)
console.log('sums', [...sums])

isMoving = false
await moving
await follower.stop()
await pool.end()
