import type { Cluster, Redis } from 'ioredis'
import type { LogStretch } from '../cache/index.ts'
import { GuardedRedis, hearChannel } from '../redis/index.ts'
import type { Heard, Loudspeaker } from './loudspeaker.ts'

export interface RedisLoudspeakerOptions {
  /** A client that fails at once where it isn't connected. Guarded, it may share its breaker with others. */
  readonly publisher: Redis | Cluster | GuardedRedis
  /** A client that goes on trying to connect. Others may listen to channels of their own on it. */
  readonly subscriber: Redis
  readonly channel: string
  readonly onError: (error: Error) => void
}

/** Redis pub/sub: quick, and forgetful. */
export class RedisLoudspeaker implements Loudspeaker {
  readonly name = 'redis'
  readonly #options: RedisLoudspeakerOptions
  readonly #publisher: GuardedRedis
  #deafen: () => void = () => {}

  constructor(options: RedisLoudspeakerOptions) {
    this.#options = options
    this.#publisher = GuardedRedis.of(options.publisher)
  }

  start(hear: (heard: Heard) => void): void {
    const { subscriber, channel, onError } = this.#options
    const receive = (text: string) => {
      const stretch = parseMessage(text)
      if (stretch) hear({ kind: 'stretch', stretch })
      else onError(new Error(`A message on ${channel} is not a stretch of the log: ${text.slice(0, 100)}`))
    }
    this.#deafen = hearChannel({ subscriber, channel, hear: receive, onError })
  }

  publish(stretch: LogStretch): void {
    const { channel, onError } = this.#options
    this.#publisher.publish(channel, formatMessage(stretch)).catch(onError)
  }

  async stop(): Promise<void> {
    this.#deafen()
  }
}

type Message = readonly [epoch: string, after: number, records: readonly [writtenAtUs: number, tags: string[]][]]

function formatMessage({ epoch, after, records }: LogStretch): string {
  return JSON.stringify([epoch, after, records.map(({ writtenAtUs, tags }) => [writtenAtUs, tags])] satisfies [
    string,
    number,
    unknown,
  ])
}

/** Undefined for what isn't one: anybody may publish on a channel, and a ledger must not choke on it. */
function parseMessage(text: string): LogStretch | undefined {
  try {
    const [epoch, after, records] = JSON.parse(text) as Message
    if (typeof epoch !== 'string' || !Number.isSafeInteger(after) || !records.every(isRecord)) return undefined
    return {
      epoch,
      after,
      records: records.map(([writtenAtUs, tags], index) => ({ position: after + index + 1, tags, writtenAtUs })),
    }
  } catch {
    return undefined
  }
}

function isRecord([writtenAtUs, tags]: readonly unknown[]): boolean {
  return Number.isSafeInteger(writtenAtUs) && Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')
}
