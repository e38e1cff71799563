import pg from 'pg'
import { readConfig } from '../../../src/app/config.ts'
import type * as main from '../../../src/app/start-node.ts'
import { createLogger } from '../../../src/kernel/logger.ts'
import { answerBench } from '../answer-bench.ts'

/** Stet as it is built, wired and configured like any node, from its environment, with a PostgreSQL behind it. */
const BUILT = '../../../dist/start-node.js'
const { startNode }: typeof main = await import(BUILT)

const settings = readConfig()
const node = await startNode({ config: settings, logger: createLogger(settings.logLevel) })
answerBench({ port: Number(new URL(node.url).port), titles: readTitles })

async function readTitles(ids: readonly number[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: settings.databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ title: string }>(
    'select title from unnest($1::int[]) with ordinality as wanted (id, place) join articles using (id) order by place',
    [ids],
  )
  await client.end()
  return rows.map(({ title }) => title)
}
