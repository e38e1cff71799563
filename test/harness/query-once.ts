import pg from 'pg'

export type Row = Readonly<Record<string, unknown>>

/** Runs one statement on a connection of its own. For the harness's own needs, not for what is tested. */
export async function queryOnce(url: string, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, application_name: 'harness' })
  client.on('error', () => {}) // the server may be killed under us; the query itself rejects
  try {
    await client.connect()
    const { rows } = await client.query<Row>(text, [...values])
    return rows
  } finally {
    await client.end()
  }
}
