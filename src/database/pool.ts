import pg from 'pg'
import { Connections } from './connections.ts'
import { StatementNames } from './statement-names.ts'

export type Pool = pg.Pool

export interface PoolOptions {
  readonly url: string
  /** Where the content's tables stand. Default: `public`. */
  readonly schema?: string
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
  const { schema = 'public', connections = new Connections() } = options
  const names = new StatementNames()
  const pool = new pg.Pool({
    Client: class extends Client {
      constructor(config?: pg.ClientConfig) {
        super(names, config)
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
    ...inSchema(schema),
  })
  pool.on('error', options.onError)
  // One that is lent may break between two statements of a transaction. The next of them fails; unheard, this would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Options of a pool whose connections find tables in one schema alone, whatever the search_path of the role or the database. */
export const inSchema = (schema: string): pg.PoolConfig => ({
  // pg-pool waits for it before it lends the connection. Not a startup parameter: poolers and PGlite ignore those.
  onConnect: (client) => client.query(`set search_path to ${pg.escapeIdentifier(schema)}`),
})

/** Names what is sent often, and leaves a connection on which a query got no answer in time: whoever asked next would wait behind it. */
class Client extends pg.Client {
  readonly #names: StatementNames

  constructor(names: StatementNames, config?: pg.ClientConfig) {
    super(config)
    this.#names = names
  }

  // pg's overloads can't be repeated here: what comes back is what it gives.
  override query(...args: unknown[]): never {
    const query = super.query.bind(this) as (...args: unknown[]) => unknown
    const [text, values] = args
    // Without values it is BEGIN, COMMIT, LISTEN and the like.
    const isNameable = typeof text === 'string' && Array.isArray(values) && values.length > 0 && args.length === 2
    const name = isNameable ? this.#names.nameOf(text) : undefined
    const answer = name === undefined ? query(...args) : query({ name, text, values })
    if (!(answer instanceof Promise)) return answer as never
    return answer.catch((error: Error) => {
      if (error.message === 'Query read timeout') this.connection.stream.destroy()
      if (!isOutdated(error)) throw error
      this.#names.renew()
      // In a transaction, which it has ended, this fails too: what matters is why.
      return (query(...args) as Promise<unknown>).catch(() => {
        throw error
      })
    }) as never
  }
}

/** The server kept a statement that now brings columns of other types. */
const isOutdated = (error: Error & { readonly routine?: string }): boolean => error.routine === 'RevalidateCachedQuery'

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
