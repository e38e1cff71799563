import type { Redis } from 'ioredis'

export interface HearChannelOptions {
  /** A client that goes on trying to connect. It may be shared: Redis lets a subscriber do little else. */
  readonly subscriber: Redis
  readonly channel: string
  readonly hear: (message: string) => void
  readonly onError: (error: Error) => void
}

/** Subscribes, again at every connection, and hands over what comes on `channel`. Returns what ends that. */
export function hearChannel({ subscriber, channel, hear, onError }: HearChannelOptions): () => void {
  const receive = (from: string, message: string) => {
    if (from === channel) hear(message)
  }
  // At every connection: a subscription that failed is not one that ioredis would take up again.
  const subscribe = () => void subscriber.subscribe(channel).catch(onError)
  subscriber.on('message', receive).on('ready', subscribe)
  if (subscriber.status === 'ready' || subscriber.status === 'wait') subscribe()
  return () => subscriber.off('message', receive).off('ready', subscribe)
}
