import type { Kysely } from 'kysely'
import pg from 'pg'
import { Ledger } from '../src/cache/index.ts'
import { AuditPlugin, migrate, openDatabases, operatorAct, type Tables } from '../src/database/index.ts'
import { Follower, installStet, Log } from '../src/invalidation/index.ts'
import { startPostgres } from '../test/harness/index.ts'
import { median, printRatios } from './report.ts'

/**
 * What watching a table costs its writers: single-row updates by 8 writers, in turns, while a follower gives positions. Once without
 * `fsync`, so that the disk hides nothing, and once with it, as in production: what makes commits wait for one another shows only there.
 * Then what an audit record costs the statement of a mutation that carries it.
 */
export async function writes(): Promise<void> {
  for (const fsync of ['off', 'on']) {
    const server = await startPostgres({ settings: { fsync } })
    try {
      await compare(server.url, fsync)
      await compareAudited((await server.createDatabase()).url, fsync)
    } finally {
      await server.stop()
    }
  }
}

async function compare(url: string, fsync: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: WRITERS + 2 })
  const ledger = new Ledger()
  const follower = new Follower({ log: new Log(pool), ledger })
  try {
    await installStet(pool)
    for (const table of Object.keys(TABLES)) {
      await pool.query(`create table ${table} (id int primary key, title text not null, list int not null)`)
      await pool.query(`insert into ${table} select n, 'x', n % 10 from generate_series(1, 10000) n`)
    }
    await pool.query(`select stet.watch('watched', 'id', '{list}', '{title}')`)
    await pool.query(`
      create function tell() returns trigger language plpgsql as $$ begin perform pg_notify('changed', new.id::text); return null; end $$;
      create trigger tell after update on notifying for each row execute function tell()`)
    await follower.start()

    const rates = new Map(Object.keys(TABLES).map((table) => [table, [] as number[]]))
    for (let round = 0; round < 6; round++) {
      for (const [table, samples] of rates) samples.push(await updatesPerSecond(pool, table))
    }
    await follower.settle()
    const { rows } = await pool.query<{ records: string }>('select count(*) as records from stet.log')
    const results = [...rates].map(([table, samples]): [string, number] => [TABLES[table] ?? '', median(samples)])
    printRatios('writes: single-row updates by 8 writers', `per second, median of 6 rounds; fsync is ${fsync}`, results)
    console.log(`  ${rows[0]?.records} records were given positions meanwhile; the ledger stands at ${ledger.seen}.`)
  } finally {
    await follower.stop()
    await pool.end()
  }
}

/** Updates of one article each, as a mutation makes them, with and without an audit record in the statement. */
async function compareAudited(url: string, fsync: string): Promise<void> {
  const databases = await openDatabases({
    url,
    dataDirectory: '',
    poolMax: WRITERS + 2,
    statementTimeoutMs: 0,
    onError: console.error,
  })
  const { primary } = databases.database
  try {
    await migrate(primary)
    await databases.log.query(
      `insert into users (username, display_name, email) values ('ann', 'Ann', 'ann@example.com')`,
    )
    await databases.log.query(
      `insert into articles (slug, title, body, author_id) select 'a-' || n, 'x', 'x', 1 from generate_series(1, 10000) n`,
    )
    const audited = primary.withPlugin(new AuditPlugin(operatorAct('bench')))
    const rates = new Map<string, [Kysely<Tables>, number[]]>([
      ['without an audit record', [primary, []]],
      ['with one', [audited, []]],
    ])
    for (let round = 0; round < 6; round++) {
      for (const [db, samples] of rates.values()) {
        const update = (id: number, turn: number) =>
          db
            .updateTable('articles')
            .set({ summary: `${turn}` })
            .where('id', '=', id)
            .returning('id')
            .execute()
        samples.push(await perSecond(update))
      }
    }
    const results = [...rates].map(([name, [, samples]]): [string, number] => [name, median(samples)])
    printRatios(
      'mutations: updates of one article by 8 writers',
      `per second, median of 6 rounds; fsync is ${fsync}`,
      results,
    )
  } finally {
    await databases.close()
  }
}

const TABLES: Readonly<Record<string, string>> = {
  plain: 'not watched',
  watched: 'watched by Stet',
  notifying: 'NOTIFY in a trigger',
}

const WRITERS = 8

function updatesPerSecond(pool: pg.Pool, table: string): Promise<number> {
  const text = `update ${table} set title = 'y' where id = $1`
  return perSecond((id) => pool.query({ name: table, text, values: [id] }))
}

async function perSecond(update: (id: number, turn: number) => Promise<unknown>): Promise<number> {
  const until = performance.now() + 1000
  let updates = 0
  const write = async (writer: number) => {
    while (performance.now() < until) {
      const id = 1 + ((updates * WRITERS + writer) % 10000)
      await update(id, updates)
      updates++
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
  return (updates * 1000) / (performance.now() - startedAt)
}
