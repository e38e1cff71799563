import type { Redis } from 'ioredis'
import { type Keyring, SIGNATURE_BYTES } from './keyring.ts'
import { isWatched, watchSubscriber } from './watch-subscriber.ts'

export interface HearChannelOptions {
  /** A client that keeps trying to connect. It may be subscribed to other channels too. */
  readonly subscriber: Redis
  readonly channel: string
  /** Messages must be signed with it. Default: they are not signed. */
  readonly keyring?: Keyring | undefined
  readonly hear: (message: string) => void
  /** Told of each message that is not signed. HAZARD: anybody may send as many as they like. */
  readonly onForged?: (() => void) | undefined
  readonly onError: (error: Error) => void
}

/**
 * Subscribes to `channel`, again at every connection, and calls `hear` with each message. A connection that is dead without a sign
 * is cut: see `watchSubscriber`. Returns a function that ends the hearing; the client is watched until it ends.
 */
export function hearChannel(options: HearChannelOptions): () => void {
  const { subscriber, channel, keyring, hear, onForged = () => {}, onError } = options
  if (!isWatched(subscriber)) watchSubscriber(subscriber)
  const receive = (from: string, message: string) => {
    if (from !== channel) return
    try {
      const text = readMessage(channel, message, keyring)
      if (text === undefined) onForged()
      else hear(text)
    } catch (error) {
      // HAZARD: what a listener of ioredis throws ends the process.
      onError(error as Error)
    }
  }
  // ioredis would subscribe again by itself after a reconnect, but not if the subscription had failed.
  const subscribe = () => void subscriber.subscribe(channel).catch(onError)
  subscriber.on('message', receive).on('ready', subscribe)
  if (subscriber.status === 'ready' || subscriber.status === 'wait') subscribe()
  return () => subscriber.off('message', receive).off('ready', subscribe)
}

/** What to publish on `channel` for `hearChannel` to hear `text`: the signature stands before it, in base64url. */
export const signMessage = (channel: string, text: string, keyring: Keyring | undefined): string =>
  keyring ? keyring.sign(channel, Buffer.from(text)).toString('base64url') + text : text

function readMessage(channel: string, message: string, keyring: Keyring | undefined): string | undefined {
  if (!keyring) return message
  const text = message.slice(SIGNATURE_LENGTH)
  const signature = Buffer.from(message.slice(0, SIGNATURE_LENGTH), 'base64url')
  return keyring.verifies(channel, signature, Buffer.from(text)) ? text : undefined
}

const SIGNATURE_LENGTH = Math.ceil((SIGNATURE_BYTES * 4) / 3)
