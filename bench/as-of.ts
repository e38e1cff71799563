import pg from 'pg'
import { installStet } from '../src/invalidation/index.ts'
import { createTestDatabase } from '../test/harness/index.ts'
import { median, printRatios } from './report.ts'

/** What reading the log's position along with a row costs: a row is read by its primary key in three ways, in turns. */
export async function asOf(): Promise<void> {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await installStet({ query: (text, values) => client.query(text, values) })
    await client.query(`
      create table pages (id int primary key, title text not null, body text not null);
      insert into pages select n, 'Page ' || n, repeat('x', 2000) from generate_series(1, 10000) n;
      insert into stet.log select n, array['pages:' || n], now() from generate_series(1, 100000) n;
      create function as_of() returns bigint language sql stable as 'select max(position) from stet.log';
      `)
    await client.query('vacuum analyze')

    const ways = {
      'the row alone': 'select * from pages where id = $1',
      'with stet.as_of, as Stet does': `select as_of.*, read.* from stet.as_of
         left join (select true as found, q.* from (select * from pages where id = $1) q) read on true`,
      'with a function': 'select as_of(), pages.* from pages where id = $1',
    }
    const samples = new Map(Object.keys(ways).map((name) => [name, [] as number[]]))
    for (let round = 0; round < 40; round++) {
      for (const [name, text] of Object.entries(ways)) {
        const startedAt = performance.now()
        for (let n = 0; n < READS; n++)
          await client.query({ name, text, values: [1 + ((round * READS + n * 7919) % 10000)] })
        samples.get(name)?.push(((performance.now() - startedAt) * 1000) / READS)
      }
    }
    const results = [...samples].map(([name, values]): [string, number] => [name, median(values)])
    printRatios('as-of: a single-row read by primary key', 'µs, median of 40 rounds', results)
  } finally {
    await client.end()
    await database.drop()
  }
}

const READS = 500
