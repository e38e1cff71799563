import { inTime } from '../kernel/in-time.ts'
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
  #timer: NodeJS.Timeout | undefined
  #isListening = false
  #stopped = false

  constructor(options: NotifyLoudspeakerOptions) {
    this.#options = options
  }

  /** True while it listens, and the connection is not known to be dead. */
  get isListening(): boolean {
    return this.#isListening
  }

  start(hear: (heard: Heard) => void): void {
    const { connect, patienceMs = 0, onError } = this.#options
    const client = connect()
    this.#client = client
    let over = false
    const again = () => {
      if (over || this.#stopped) return
      over = true
      this.#isListening = false
      clearTimeout(this.#timer)
      // The connection may still be open: a standby lets clients connect, and refuses to listen.
      client.end().catch(onError)
      this.#timer = setTimeout(() => this.start(hear), RETRY_MS)
    }
    const fail = (error: Error) => {
      if (over || this.#stopped) return
      onError(error)
      again()
    }
    client.on('error', onError)
    client.on('end', again)
    client.on('notification', ({ payload }) => {
      setTimeout(() => hear({ kind: 'tip', position: Number(payload) }), patienceMs).unref()
    })
    this.#cutIfSilent(client.connect(), CONNECT_MS, fail)
      .then(() => this.#ask(client, 'listen stet', fail))
      .then(() => {
        this.#isListening = !over && !this.#stopped
        if (this.#isListening) this.#keepAsking(client, fail)
      })
      .catch(fail)
  }

  /** Nothing to do: `stet.sequence()` has notified already. */
  publish(): void {}

  async stop(): Promise<void> {
    this.#stopped = true
    this.#isListening = false
    clearTimeout(this.#timer)
    // A connection that is dead never ends.
    await inTime(this.#client?.end().catch(this.#options.onError) ?? Promise.resolve(), CONNECT_MS, () => {})
  }

  /** A connection can be dead without a sign, and one that only listens would never notice. */
  #keepAsking(client: ListeningClient, fail: (error: Error) => void): void {
    const { askEveryMs = 1000 } = this.#options
    this.#timer = setTimeout(() => {
      this.#ask(client, 'select', fail).then(
        () => {
          if (this.#isListening && this.#client === client) this.#keepAsking(client, fail)
        },
        (error: Error) => fail(error),
      )
    }, askEveryMs)
    this.#timer.unref()
  }

  #ask(client: ListeningClient, text: string, fail: (error: Error) => void): Promise<unknown> {
    const { silenceMs = 2000 } = this.#options
    return this.#cutIfSilent(client.query(text), silenceMs, (error) => {
      if (this.#client === client && !this.#stopped) this.#options.onCut?.()
      fail(error)
    })
  }

  /** Resolves and rejects as `answer` does. If that takes longer than `ms`, `fail` is called meanwhile. */
  #cutIfSilent<T>(answer: Promise<T>, ms: number, fail: (error: Error) => void): Promise<T> {
    let isOver = false
    const beSilent = () => {
      if (!isOver) fail(new Error(`PostgreSQL was silent for ${ms} ms, and the connection that listens was cut`))
    }
    // Node runs timers before it reads sockets: after a pause of this process, the answer may be there.
    const timer = setTimeout(() => setImmediate(beSilent), ms)
    // A client that is ended while it connects never answers: that must keep no process alive.
    timer.unref()
    return answer.finally(() => {
      isOver = true
      clearTimeout(timer)
    })
  }
}

/** How long it may take to connect. */
const CONNECT_MS = 5000
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
  /** How often to ask the server for a sign of life, in milliseconds. Default 1000. */
  readonly askEveryMs?: number
  /** How long the server may take for it, in milliseconds. Then the connection is cut, and another one made. Default 2000. */
  readonly silenceMs?: number
  /** Called for each connection that is cut. */
  readonly onCut?: (() => void) | undefined
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
