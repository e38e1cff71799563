import type { Heard, Loudspeaker } from './loudspeaker.ts'

/** What listening asks of a PostgreSQL connection: a `pg.Client` will do. */
export interface ListeningClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification', listener: (notification: { payload?: string | undefined }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

export interface NotifyLoudspeakerOptions {
  /** Makes a client for the primary that isn't connected yet. */
  readonly connect: () => ListeningClient
  /** How long to wait whether another loudspeaker brings the records themselves, in milliseconds. Default 0. */
  readonly patienceMs?: number
  readonly onError: (error: Error) => void
}

/** PostgreSQL NOTIFY, which `stet.sequence()` itself sends: with Redis gone, memory tiers stay right. */
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
      // Its connection may well stand: a standby refuses to listen.
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

  /** `stet.sequence()` has sent it already. */
  publish(): void {}

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    await this.#client?.end().catch(this.#options.onError)
  }
}

const RETRY_MS = 500
