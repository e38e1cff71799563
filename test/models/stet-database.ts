import pg from 'pg'
import { installStet, type SqlClient } from '../../src/invalidation/index.ts'
import { createCopyOf } from '../harness/index.ts'

/** A database of a test's own with the stet schema and one watched table, `articles (id, author_id)`. */
export async function createStetDatabase() {
  const database = await createCopyOf('stet', fill)
  const pool = new pg.Pool({ connectionString: database.url, max: 12 })
  pool.on('error', () => {})
  return {
    url: database.url,
    pool,
    async drop() {
      await pool.end()
      await database.drop()
    },
  }
}

async function fill(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await installStet(client)
  await client.query(`
    create table articles (id int primary key, author_id int);
    select stet.watch('articles', 'id', '{author_id}')
  `)
  await client.end()
}

/** A client whose queries can be counted, held back or answered by the test. */
export class WatchedClient implements SqlClient {
  readonly texts: string[] = []
  /** Called before, with what asks the database; its answer is the answer. */
  onQuery: (text: string, ask: () => Promise<{ rows: object[] }>) => Promise<{ rows: object[] }> = (_, ask) => ask()
  readonly #client: SqlClient

  constructor(client: SqlClient) {
    this.#client = client
  }

  async query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }> {
    this.texts.push(text)
    const answer = await this.onQuery(text, () => this.#client.query(text, values))
    return answer as { rows: Row[] }
  }
}
