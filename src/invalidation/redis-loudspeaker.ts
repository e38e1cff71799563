import type { Redis } from 'ioredis'
import type { LogStretch } from '../cache/index.ts'
import type { Heard, Loudspeaker } from './loudspeaker.ts'

export interface RedisLoudspeakerOptions {
  /** A client that fails at once where it isn't connected. */
  readonly publisher: Redis
  /** A client of its own, that goes on trying to connect: Redis lets a subscriber do little else. */
  readonly subscriber: Redis
  readonly channel: string
  readonly onError: (error: Error) => void
}

/** Redis pub/sub: quick, and forgetful. */
export class RedisLoudspeaker implements Loudspeaker {
  readonly name = 'redis'
  readonly #options: RedisLoudspeakerOptions
  #deafen: () => void = () => {}

  constructor(options: RedisLoudspeakerOptions) {
    this.#options = options
  }

  start(hear: (heard: Heard) => void): void {
    const { subscriber, channel, onError } = this.#options
    const receive = (_channel: string, text: string) => {
      const stretch = parseMessage(text)
      if (stretch) hear({ kind: 'stretch', stretch })
      else onError(new Error(`A message on ${channel} is not a stretch of the log: ${text.slice(0, 100)}`))
    }
    // At every connection: a subscription that failed is not one that ioredis would take up again.
    const subscribe = () => void subscriber.subscribe(channel).catch(onError)
    subscriber.on('message', receive).on('ready', subscribe)
    this.#deafen = () => subscriber.off('message', receive).off('ready', subscribe)
    if (subscriber.status === 'ready' || subscriber.status === 'wait') subscribe()
  }

  publish(stretch: LogStretch): void {
    const { publisher, channel, onError } = this.#options
    publisher.publish(channel, formatMessage(stretch)).catch(onError)
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
