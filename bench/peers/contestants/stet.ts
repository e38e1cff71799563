import pg from 'pg'
import type * as config from '../../../src/config.ts'
import type * as logger from '../../../src/kernel/logger.ts'
import type * as main from '../../../src/main.ts'
import { answerBench } from '../answer-bench.ts'

/** Stet as it is built, wired and configured like any node, from its environment, with a PostgreSQL behind it. */
const built = <Module>(name: string): Promise<Module> => import(`../../../dist/${name}.js`)
const { readConfig } = await built<typeof config>('config')
const { createLogger } = await built<typeof logger>('kernel/logger')
const { startNode } = await built<typeof main>('main')

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
