// Entries that each viewer has for themselves: nobody is ever shown what was loaded for somebody else.
//
//   DATABASE_URL=postgres://… node examples/per-viewer.mjs
import pg from 'pg'
import { Cache, columnTag, Ledger } from 'stet/cache'
import { Follower, installStet, Log } from 'stet/invalidation'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
await installStet(pool)
await pool.query(`
  create table if not exists notes (id int primary key, topic text not null, owner text not null);
  insert into notes values (1, 'tea', 'ann'), (2, 'tea', 'bob'), (3, 'tea', 'bob') on conflict do nothing;
  select stet.watch('notes', 'id', '{topic}')`)
const ledger = new Ledger()
const follower = new Follower({ log: new Log(pool), ledger })
await follower.start()
const cache = new Cache({ ledger, settle: () => follower.settle() })

// The scope puts the viewer into every key. Keys that are loaded together all belong to the one viewer that load is told.
const noteIds = cache.kind({
  name: 'own-notes',
  ttlMs: 60_000,
  scope: 'viewer',
  key: String,
  tags: (topic) => [columnTag('notes', 'topic', topic)],
  load: async (topics, _source, viewer) => {
    console.log(`loads ${topics} for ${viewer}`)
    const { rows } = await pool.query(
      `select position, unsettled, id, topic
         from stet.as_of left join notes on topic = any($1) and owner = $2 order by id`,
      [topics, viewer],
    )
    const values = topics.map((topic) => rows.filter((row) => row.topic === topic).map((row) => row.id))
    return { asOf: Number(rows[0].position), unsettled: rows[0].unsettled, values }
  },
})

for (const viewer of ['ann', 'bob', 'ann']) console.log(viewer, await noteIds.get('tea', { viewer }))

// A reader that does not say who reads is refused.
await noteIds.get('tea').catch((error) => console.log(error.message))

await follower.stop()
await pool.end()
