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
  return pool
}

/** Reads bigint as number: positions, ids and counters stay far below 2^53. */
export const numericTypes: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    return oid === pg.types.builtins.INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)
  },
}
