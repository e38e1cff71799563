import type { Heard, Loudspeaker } from './loudspeaker.ts'

/**
 * Listens to the NOTIFY that `stet.sequence()` sends. It needs no Redis, takes one connection to the primary, and tells only how
 * far the log goes.
 *
 * @example
 * const notify = new NotifyLoudspeaker({
 *   connect: () => new pg.Client({ connectionString: process.env.DATABASE_URL }),
 *   onError: console.error,
 * })
 * const follower = new Follower({ log, ledger, loudspeakers: [notify] })
 */
export class NotifyLoudspeaker implements Loudspeaker {
  readonly name = 'notify'
  readonly #options: NotifyLoudspeakerOptions
  #client: ListeningClient | undefined
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: NotifyLoudspeakerOptions) {
    this.#options = options
  }

  start(hear: (heard: Heard) => void): void {
    const { connect, patienceMs = 0, onError } = this.#options
    const client = connect()
    this.#client = client
    let over = false
    const again = () => {
      if (over || this.#stopped) return
      over = true
      // The connection may still be open: a standby lets clients connect, and refuses to listen.
      client.end().catch(onError)
      this.#retry = setTimeout(() => this.start(hear), RETRY_MS)
    }
    client.on('error', onError)
    client.on('end', again)
    client.on('notification', ({ payload }) => {
      setTimeout(() => hear({ kind: 'tip', position: Number(payload) }), patienceMs).unref()
    })
    client
      .connect()
      .then(() => client.query('listen stet'))
      .catch((error: Error) => {
        onError(error)
        again()
      })
  }

  /** Nothing to do: `stet.sequence()` has notified already. */
  publish(): void {}

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    await this.#client?.end().catch(this.#options.onError)
  }
}

const RETRY_MS = 500

/**
 * How to listen.
 *
 * @example
 * const options: NotifyLoudspeakerOptions = { connect: () => new pg.Client(url), patienceMs: 20, onError: console.error }
 */
export interface NotifyLoudspeakerOptions {
  /** Makes a client that leads to the primary and is not connected yet. Called again whenever the connection was lost. */
  readonly connect: () => ListeningClient
  /**
   * How long to hold a message back, in milliseconds, because another loudspeaker may bring the records themselves and so spare
   * a look at the log. Default 0.
   */
  readonly patienceMs?: number
  /** Gets the errors of the connection. Another one is made after half a second. */
  readonly onError: (error: Error) => void
}

/**
 * What listening needs of a PostgreSQL connection. A `pg.Client` is one.
 * @example const client: ListeningClient = new pg.Client({ connectionString: process.env.DATABASE_URL })
 */
export interface ListeningClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification', listener: (notification: { payload?: string | undefined }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}
