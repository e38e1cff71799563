import type { Redis } from 'ioredis'
import type { LogStretch } from '../cache/index.ts'
import type { Heard, Loudspeaker } from './loudspeaker.ts'

export interface RedisLoudspeakerOptions {
  /** A client that fails at once where it isn't connected. */
  readonly publisher: Redis
  /** A client of its own: Redis lets a subscriber do little else. It must reconnect and subscribe again by itself, as ioredis does. */
  readonly subscriber: Redis
  readonly channel: string
  readonly onError: (error: Error) => void
}

/** Redis pub/sub: quick, and forgetful. */
export class RedisLoudspeaker implements Loudspeaker {
  readonly name = 'redis'
  readonly #options: RedisLoudspeakerOptions

  constructor(options: RedisLoudspeakerOptions) {
    this.#options = options
  }

  start(hear: (heard: Heard) => void): void {
    const { subscriber, channel, onError } = this.#options
    subscriber.on('message', (_channel, text) => {
      const stretch = parseMessage(text)
      if (stretch) hear({ kind: 'stretch', stretch })
      else onError(new Error(`A message on ${channel} is not a stretch of the log: ${text.slice(0, 100)}`))
    })
    subscriber.subscribe(channel).catch(onError)
  }

  publish(stretch: LogStretch): void {
    const { publisher, channel, onError } = this.#options
    publisher.publish(channel, formatMessage(stretch)).catch(onError)
  }

  async stop(): Promise<void> {
    this.#options.subscriber.removeAllListeners('message')
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

function parseMessage(text: string): LogStretch | undefined {
  try {
    const [epoch, after, records] = JSON.parse(text) as Message
    if (typeof epoch !== 'string' || !Number.isSafeInteger(after)) return undefined
    return {
      epoch,
      after,
      records: records.map(([writtenAtUs, tags], index) => ({ position: after + index + 1, tags, writtenAtUs })),
    }
  } catch {
    return undefined
  }
}
