import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import pg from 'pg'

export type Pool = pg.Pool

export interface PoolOptions {
  readonly url: string
  /** Where the content's tables stand. Default: `public`. */
  readonly schema?: string
  /** How many connections it has at most. */
  readonly max: number
  /** How long one statement may run, in milliseconds. 0: for ever. */
  readonly statementTimeoutMs: number
  /** How much later than that the server's answer may come, in milliseconds. Then the connection is cut. Default 1000. */
  readonly lateMs?: number
  /** How long a connection may take to be made, or to become free, in milliseconds. Default 5000. */
  readonly connectTimeoutMs?: number
  /** Looks at each new connection before it is lent. If it rejects, the connection is closed, and its borrower gets the error. */
  readonly examine?: (client: pg.ClientBase) => Promise<unknown>
  /** Its connections are added to these, to be cut with them. */
  readonly connections?: Connections
  /** Called if an idle connection breaks. The pool replaces it. */
  readonly onError: (error: Error) => void
}

/** A pool of connections to a PostgreSQL server. */
export function createPool(options: PoolOptions): Pool {
  const { schema = 'public', connections = new Connections(), lateMs = 1000, connectTimeoutMs = 5000 } = options
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
    // The server itself ends a statement that takes too long. This ends one if the server hangs.
    ...(options.statementTimeoutMs > 0 && {
      query_timeout: options.statementTimeoutMs + lateMs,
      // If this process is stopped in a transaction, the transaction must not keep its locks.
      idle_in_transaction_session_timeout: options.statementTimeoutMs + lateMs,
    }),
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'stet',
    types: numericTypes,
    ...inSchema(schema, options.examine),
  })
  pool.on('error', options.onError)
  // A connection in use may break between two statements of a transaction. The next statement fails. An event without a
  // listener would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Options of a pool whose connections find tables in one schema alone, and read dates, whatever the settings of the role or the database. */
export const inSchema = (schema: string, examine?: PoolOptions['examine']): pg.PoolConfig => ({
  // pg-pool waits for it before it lends the connection. Not a startup parameter: poolers and PGlite ignore those.
  onConnect: async (client) => {
    // pg reads dates of this style alone.
    await client.query(`set search_path to ${pg.escapeIdentifier(schema)}; set datestyle to iso`)
    await examine?.(client)
  },
})

/** Names statements that are sent often. Destroys a connection whose server didn't answer in time: the next query would wait behind that one. */
class Client extends pg.Client {
  readonly #names: StatementNames

  constructor(names: StatementNames, config?: pg.ClientConfig) {
    super(config)
    this.#names = names
  }

  // `never`, because pg's overloads can't be repeated here. Whatever pg returns is returned.
  override query(...args: unknown[]): never {
    const query = super.query.bind(this) as (...args: unknown[]) => unknown
    const [text, values] = args
    // A statement without values is BEGIN, COMMIT, LISTEN and the like.
    const isNameable = typeof text === 'string' && Array.isArray(values) && values.length > 0 && args.length === 2
    const name = isNameable ? this.#names.nameOf(text) : undefined
    const answer = name === undefined ? query(...args) : query({ name, text, values })
    if (!(answer instanceof Promise)) return answer as never
    return answer.catch((error: Error) => {
      if (error.message === 'Query read timeout') this.connection.stream.destroy()
      if (!isOutdated(error)) throw error
      this.#names.renew()
      // If the first error ended a transaction, this one fails too. The caller needs the first.
      return (query(...args) as Promise<unknown>).catch(() => {
        throw error
      })
    }) as never
  }
}

/** True if the server kept a statement whose columns have other types now: a migration changed them. */
const isOutdated = (error: Error & { readonly routine?: string }): boolean => error.routine === 'RevalidateCachedQuery'

/**
 * Names for statements that are sent again and again. PostgreSQL keeps a named statement parsed and planned, for each
 * connection. Without that, a statement of one row is parsed and planned for longer than it runs.
 *
 * A process sends a few statements often, and many seldom: those whose text varies with the request. So a statement gets a name
 * only after it was sent a few times, and the number of names is bounded.
 */
export class StatementNames {
  readonly #maxNames: number
  readonly #names = new Map<string, string>()
  /** How often each statement without a name was sent. */
  readonly #sent = new LRUCache<string, number>({ max: 1000 })
  #generation = 0

  constructor({ maxNames = 500 }: { readonly maxNames?: number } = {}) {
    this.#maxNames = maxNames
  }

  /** The name to send a statement under, or undefined to send it without one. Counts it as sent. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text)
    if (known !== undefined || this.#names.size >= this.#maxNames) return known
    const sent = (this.#sent.get(text) ?? 0) + 1
    this.#sent.set(text, sent)
    if (sent < TIMES_BEFORE_NAMED) return undefined
    this.#sent.delete(text)
    const name = `stet_${this.#generation}_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
    this.#names.set(text, name)
    return name
  }

  /** Gives every statement another name. For when a migration changed the columns that a kept statement returns. */
  renew(): void {
    this.#generation++
    this.#names.clear()
  }
}

const TIMES_BEFORE_NAMED = 3

/** Connections to PostgreSQL that can all be cut at once, whatever their statements wait for. */
export class Connections {
  readonly #open = new Set<pg.Client>()
  #areCut = false

  /** Makes a client, not connected yet, and adds it. */
  makeClient(options: pg.ClientConfig): pg.Client {
    const client = new pg.Client(options)
    this.add(client)
    return client
  }

  /** Keeps a client in mind until it ends. */
  add(client: pg.Client): void {
    this.#open.add(client)
    client.once('end', () => this.#open.delete(client))
    // It has no socket to destroy until it begins to connect, which it does after this.
    if (this.#areCut) setImmediate(() => client.connection.stream.destroy())
  }

  /** Breaks all connections, and those that are made later. Their statements fail at once, and may have been run. */
  cut(): void {
    this.#areCut = true
    this.drop()
  }

  /** Breaks all connections of now. Others can be made. */
  drop(): void {
    for (const client of this.#open) client.connection.stream.destroy()
  }
}

/** Reads bigint as a number, alone and in arrays. A number that JavaScript would round is refused: another row's id might come out. */
export const numericTypes: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    const parse = pg.types.getTypeParser(oid, format)
    if (format === 'binary') return parse
    if (oid === pg.types.builtins.INT8) return toNumber
    // pg has no name for bigint[]. Its parser makes an array of strings.
    if (oid === INT8_ARRAY) return (text: string) => (parse(text) as string[]).map(toNumber)
    return parse
  },
}

function toNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  throw new RangeError(`PostgreSQL has sent the bigint ${text}, which a JavaScript number can't hold.`)
}

const INT8_ARRAY: number = 1016
