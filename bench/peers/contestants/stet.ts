import pg from 'pg'
import { answerBench } from '../answer-bench.ts'

/**
 * Loaded before `stet serve`, of whatever version, into the same process: answers the bench once the server is ready. The
 * server itself is the one that `npm run build:server` made, wired and configured like any node, from its environment.
 */
const port = Number(process.env.PORT)
void answerOnceReady()

async function answerOnceReady(): Promise<void> {
  while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 50))
  answerBench({ port, titles: readTitles })
}

async function isReady(): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
  await response?.text()
  return response?.ok ?? false
}

async function readTitles(ids: readonly number[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  const { rows } = await client.query<{ title: string }>(
    'select title from unnest($1::int[]) with ordinality as wanted (id, place) join articles using (id) order by place',
    [ids],
  )
  await client.end()
  return rows.map(({ title }) => title)
}
