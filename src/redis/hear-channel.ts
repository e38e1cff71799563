import type { Redis } from 'ioredis'

export interface HearChannelOptions {
  /** A client that keeps trying to connect. It may be subscribed to other channels too. */
  readonly subscriber: Redis
  readonly channel: string
  readonly hear: (message: string) => void
  readonly onError: (error: Error) => void
}

/** Subscribes to `channel`, again at every connection, and calls `hear` with each message. Returns a function that ends that. */
export function hearChannel({ subscriber, channel, hear, onError }: HearChannelOptions): () => void {
  const receive = (from: string, message: string) => {
    if (from === channel) hear(message)
  }
  // ioredis subscribes again by itself after a reconnect, but not if the subscription had failed.
  const subscribe = () => void subscriber.subscribe(channel).catch(onError)
  subscriber.on('message', receive).on('ready', subscribe)
  if (subscriber.status === 'ready' || subscriber.status === 'wait') subscribe()
  return () => subscriber.off('message', receive).off('ready', subscribe)
}
