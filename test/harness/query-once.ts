import pg from 'pg'
import { hasCode } from './has-code.ts'
import { isShared } from './test-run.ts'

export type Row = Readonly<Record<string, unknown>>

/**
 * Runs one statement, as on a connection of its own. For the harness's own needs, not for what is tested.
 *
 * Connections to the server that all tests share are kept for the next statement: to open one costs PostgreSQL more than
 * most statements do, and functions have to be compiled anew on each.
 */
export async function queryOnce(url: string, text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  if (!isShared(url)) return onItsOwn(url, text, values)
  const client = await keptFor(url).connect()
  let isUsable = false
  try {
    const { rows } = await client.query<Row>(text, [...values])
    await client.query('discard all')
    isUsable = true
    return rows
  } catch (error) {
    // Ended while nobody used it: the statement was not run.
    if (hasCode(error, ADMIN_SHUTDOWN)) return onItsOwn(url, text, values)
    throw error
  } finally {
    client.release(!isUsable)
  }
}

async function onItsOwn(url: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url, ...OPTIONS })
  client.on('error', () => {}) // the server may be killed under us; the query itself rejects
  try {
    await client.connect()
    const { rows } = await client.query<Row>(text, [...values])
    return rows
  } finally {
    await client.end()
  }
}

const pools = new Map<string, pg.Pool>()

function keptFor(url: string): pg.Pool {
  const known = pools.get(url)
  if (known) return known
  const pool = new pg.Pool({ connectionString: url, ...OPTIONS, max: 50, allowExitOnIdle: true })
  pool.on('error', () => {}) // its database may be dropped
  pools.set(url, pool)
  return pool
}

const OPTIONS = { connectionTimeoutMillis: 5000, application_name: 'harness' }
const ADMIN_SHUTDOWN = '57P01'
