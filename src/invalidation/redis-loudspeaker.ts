import type { Cluster, Redis } from 'ioredis'
import type { LogStretch } from '../cache/index.ts'
import { GuardedRedis, hearChannel, Keyring, signMessage } from '../redis/index.ts'
import type { Heard, Loudspeaker } from './loudspeaker.ts'

/**
 * Tells and hears of new records by Redis pub/sub: the records themselves, so that a follower need not read them from the log.
 *
 * @example
 * const loudspeaker = new RedisLoudspeaker({
 *   publisher: new Redis(url, { enableOfflineQueue: false, commandTimeout: 1000 }),
 *   subscriber: new Redis(url),
 *   channel: 'shop:log',
 *   onError: console.error,
 * })
 * const follower = new Follower({ log, ledger, loudspeakers: [loudspeaker] })
 */
export class RedisLoudspeaker implements Loudspeaker {
  readonly name = 'redis'
  readonly #options: RedisLoudspeakerOptions
  readonly #publisher: GuardedRedis
  readonly #keyring: Keyring | undefined
  #deafen: () => void = () => {}

  constructor(options: RedisLoudspeakerOptions) {
    this.#options = options
    this.#publisher = GuardedRedis.of(options.publisher)
    this.#keyring = options.secrets && new Keyring(options.secrets, 'stretch of the log')
  }

  start(hear: (heard: Heard) => void): void {
    const { subscriber, channel, onForged, onError } = this.#options
    const receive = (text: string) => {
      const stretch = parseMessage(text)
      if (stretch) hear({ kind: 'stretch', stretch })
      else onError(new Error(`A message on ${channel} is not a stretch of the log: ${text.slice(0, 100)}`))
    }
    this.#deafen = hearChannel({ subscriber, channel, keyring: this.#keyring, hear: receive, onForged, onError })
  }

  publish(stretch: LogStretch): void {
    const { channel, onError } = this.#options
    const message = signMessage(channel, formatMessage(stretch), this.#keyring)
    this.#publisher.publish(channel, message).catch(onError)
  }

  async stop(): Promise<void> {
    this.#deafen()
  }
}

/**
 * How to publish and how to listen. Each needs a connection of its own: a connection that has subscribed takes no other command.
 * @example const options: RedisLoudspeakerOptions = { publisher, subscriber, channel: 'shop:log', onError: console.error }
 */
export interface RedisLoudspeakerOptions {
  /** A client that fails at once while it is not connected. A `GuardedRedis` shares its breaker with its other users. */
  readonly publisher: Redis | Cluster | GuardedRedis
  /** A client that keeps trying to connect. It may be subscribed to other channels too. */
  readonly subscriber: Redis
  /** The same for all processes that share a database, and for no others. */
  readonly channel: string
  /**
   * With secrets, messages are signed by the first, and heard if any of them has signed: all processes must have one of them.
   * Each at least 32 bytes. Default: messages are not signed, and anybody who can publish on the channel is believed.
   */
  readonly secrets?: readonly string[] | undefined
  /** Told of each message that is not signed. HAZARD: anybody may send as many as they like. */
  readonly onForged?: (() => void) | undefined
  /** Gets what could not be sent or understood. The log has it all the same. */
  readonly onError: (error: Error) => void
}

type Message = readonly [
  epoch: string,
  after: number,
  records: [writtenAtUs: number, tags: readonly string[]][],
  /** Nodes of earlier versions don't say it. */
  afterWrittenAtUs?: number | null,
]

function formatMessage({ epoch, after, afterWrittenAtUs, records }: LogStretch): string {
  const written = records.map(({ writtenAtUs, tags }): Message[2][number] => [writtenAtUs, tags])
  const message: Message = [epoch, after, written, afterWrittenAtUs ?? null]
  return JSON.stringify(message)
}

/** Undefined if `text` is no message of ours. Anybody may publish on a channel, and the ledger must not be given nonsense. */
function parseMessage(text: string): LogStretch | undefined {
  try {
    const [epoch, after, records, afterWrittenAtUs] = JSON.parse(text) as Message
    if (typeof epoch !== 'string' || !Number.isSafeInteger(after) || !records.every(isRecord)) return undefined
    if (afterWrittenAtUs != null && !Number.isSafeInteger(afterWrittenAtUs)) return undefined
    return {
      epoch,
      after,
      ...(afterWrittenAtUs != null && { afterWrittenAtUs }),
      records: records.map(([writtenAtUs, tags], index) => ({ position: after + index + 1, tags, writtenAtUs })),
    }
  } catch {
    return undefined
  }
}

function isRecord([writtenAtUs, tags]: readonly unknown[]): boolean {
  return Number.isSafeInteger(writtenAtUs) && Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
}
