import pg from 'pg'

export type Pool = pg.Pool

export interface PoolOptions {
  readonly url: string
  /** Connections at most. */
  readonly max: number
  /** How long one statement may run, in milliseconds. */
  readonly statementTimeoutMs: number
  /** Called when an idle connection breaks; the pool replaces it by itself. */
  readonly onError: (error: Error) => void
}

/** A pool of connections to a PostgreSQL server. */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    statement_timeout: options.statementTimeoutMs,
    connectionTimeoutMillis: 5000,
    application_name: 'stet',
    types: numericTypes,
  })
  pool.on('error', options.onError)
  // A connection may also break between two statements of a transaction. The next one says so; unheard, it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Reads bigint as number, alone and in arrays: positions, ids and counters stay far below 2^53. */
export const numericTypes: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    const parse = pg.types.getTypeParser(oid, format)
    if (format === 'binary') return parse
    if (oid === pg.types.builtins.INT8) return Number
    // pg knows bigint[], but has no name for it; its parser makes an array of strings.
    if (oid === INT8_ARRAY) return (text: string) => (parse(text) as string[]).map(Number)
    return parse
  },
}

const INT8_ARRAY: number = 1016
