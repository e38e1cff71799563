import pg from 'pg'
import { Connections } from './connections.ts'

export type Pool = pg.Pool

export interface PoolOptions {
  readonly url: string
  /** Connections at most. */
  readonly max: number
  /** How long one statement may run, in milliseconds. */
  readonly statementTimeoutMs: number
  /** Where its connections are to be known. Default: nowhere. */
  readonly connections?: Connections
  /** Called when an idle connection breaks; the pool replaces it by itself. */
  readonly onError: (error: Error) => void
}

/** A pool of connections to a PostgreSQL server. */
export function createPool(options: PoolOptions): Pool {
  const { connections = new Connections() } = options
  const pool = new pg.Pool({
    Client: class extends ImpatientClient {
      constructor(config?: pg.ClientConfig) {
        super(config)
        connections.add(this)
      }
    },
    connectionString: options.url,
    max: options.max,
    statement_timeout: options.statementTimeoutMs,
    // The server says so itself, unless it is the server that hangs.
    ...(options.statementTimeoutMs > 0 && {
      query_timeout: options.statementTimeoutMs + 1000,
      // A process that was stopped in a transaction must not keep its locks.
      idle_in_transaction_session_timeout: options.statementTimeoutMs + 1000,
    }),
    connectionTimeoutMillis: 5000,
    application_name: 'stet',
    types: numericTypes,
  })
  pool.on('error', options.onError)
  // One that is lent may break between two statements of a transaction. The next of them fails; unheard, this would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Leaves a connection on which a query got no answer in time: whoever asked next would wait behind it. */
class ImpatientClient extends pg.Client {
  // pg's overloads can't be repeated here: what comes back is what it gives.
  override query(...args: unknown[]): never {
    const query = super.query as (...args: unknown[]) => unknown
    const answer = query.apply(this, args)
    if (answer instanceof Promise) {
      answer.catch((error: Error) => {
        if (error.message === 'Query read timeout') this.connection.stream.destroy()
      })
    }
    return answer as never
  }
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
