/**
 * Sends a query that may be repeated, and resolves with the first answer. A connection can be dead without a sign, so if no answer
 * comes in time, the query is sent on another connection too.
 *
 *   after `afterMs`             on a second connection. The first is not cut: the server may only be slow
 *   after four times as long …  on a third one, and so on. The oldest is cut, so that no more than two are asked at a time
 *   with the first answer       every connection that was asked before the one that answered is cut
 *
 * Rejects as the last connection that was asked does. HAZARD: the server may run the query several times.
 */
export function askAgain<Row extends object>(pool: ConnectionPool, query: AskedQuery): Promise<{ rows: Row[] }> {
  const { afterMs, onCut = () => {} } = query
  return new Promise((resolve, reject) => {
    let asked: Question<Row>[] = []
    let timer: NodeJS.Timeout | undefined
    const cut = (silent: readonly Question<Row>[]) => {
      for (const question of silent) if (question.cut()) onCut()
    }
    const end = () => {
      clearTimeout(timer)
      asked = []
    }
    const ask = (waitMs: number) => {
      cut(asked.slice(0, -1))
      const question = askOn<Row>(pool, query)
      asked = [...asked.slice(-1), question]
      timer = setTimeout(() => {
        // Node runs timers before it reads sockets: after a pause of this process, the answer may be there.
        setImmediate(() => {
          if (asked.at(-1) === question) ask(4 * waitMs)
        })
      }, waitMs)
      question.answer.then(
        (answer) => {
          if (!asked.includes(question)) return
          cut(asked.slice(0, asked.indexOf(question)))
          end()
          resolve(answer)
        },
        (error: Error) => {
          if (asked.at(-1) !== question) return
          cut(asked.slice(0, -1))
          end()
          reject(error)
        },
      )
    }
    ask(afterMs)
  })
}

interface AskedQuery {
  readonly text: string
  readonly values?: unknown[] | undefined
  /** How long to wait before the query is sent again, in milliseconds. Four times as long each time after that. */
  readonly afterMs: number
  /** Called for each connection that is cut. */
  readonly onCut?: (() => void) | undefined
}

interface Question<Row> {
  readonly answer: Promise<{ rows: Row[] }>
  /** Cuts the connection. Returns false if there is none yet, or no more. */
  cut(): boolean
}

function askOn<Row extends object>(pool: ConnectionPool, { text, values }: AskedQuery): Question<Row> {
  let lent: LentClient | undefined
  let isCut = false
  // The query fails as well, and tells of the error.
  const ignore = () => {}
  const giveBack = (error?: Error | boolean) => {
    lent?.off('error', ignore)
    lent?.release(error)
    lent = undefined
  }
  const ask = async () => {
    const client = await pool.connect()
    lent = client.on('error', ignore)
    if (isCut) {
      giveBack()
      throw new Error('A connection came too late.')
    }
    try {
      const answer = await client.query<Row>(text, values)
      giveBack()
      return answer
    } catch (error) {
      giveBack(error as Error)
      throw error
    }
  }
  return {
    answer: ask(),
    cut: () => {
      isCut = true
      const isLent = lent !== undefined
      giveBack(true)
      return isLent
    },
  }
}

/**
 * A pool of connections. A `pg.Pool` is one. With it, the log asks on another connection if one hangs, and cuts that one. HAZARD: of
 * fewer than three connections, hung ones may leave none.
 * @example const pool: ConnectionPool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
 */
export interface ConnectionPool {
  /** How many connections there are. */
  readonly totalCount: number
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
  connect(): Promise<LentClient>
}

/** A connection that was lent. Its pool closes it if it is given back with an error, or with true. */
interface LentClient {
  query<Row extends object>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
  release(error?: Error | boolean): void
  on(event: 'error', listener: (error: Error) => void): this
  off(event: 'error', listener: (error: Error) => void): this
}
