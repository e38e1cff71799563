import { type Redis, type RedisOptions, SentinelConnector } from 'ioredis'
import { ReplyScanner, type ReplyShape } from './reply-scanner.ts'

export interface GuardRepliesOptions {
  /** Whether the client subscribes: then messages come that nobody asked for. Default: false. */
  readonly subscribes?: boolean
  /** How long one reply may take to arrive, in milliseconds. Replies after it would wait behind it. */
  readonly replyMaxMs: number
}

/**
 * Looks at all that a server sends before ioredis does, and destroys a connection that sends what is no reply to what was asked. The
 * client then connects anew, as after any other loss. Returns the client, which must speak RESP2.
 *
 * HAZARD: without it, a reply that nobody asked for throws within ioredis, behind everybody's back, and ends the process.
 */
export function guardReplies<Client extends Redis>(redis: Client, options: GuardRepliesOptions): Client {
  redis.on('connect', () => guardStream(redis, options))
  // A cluster reads its map of slots on a connection of its own.
  const duplicate = redis.duplicate.bind(redis)
  redis.duplicate = (override) => checkSlots(guardReplies(duplicate(override), options))
  return redis
}

/** Between the event `connect` and the first bytes: the parser listens already. */
function guardStream(redis: Redis, { subscribes = false, replyMaxMs }: GuardRepliesOptions): void {
  const { stream } = redis
  const [parse] = stream.listeners('data')
  if (!parse) return
  let waiting = 0
  let isSubscribed = false
  let beganAtMs = 0
  const scanner = new ReplyScanner({
    onBegin: () => {
      beganAtMs = performance.now()
      return waiting > 0 || (subscribes && isSubscribed) ? undefined : 'nobody asked for it'
    },
    onReply: (shape) => {
      const isMessage = subscribes && isSubscribed && shape.word === 'message'
      if (!isMessage && waiting-- <= 0) return 'nobody asked for it'
      if (subscribes && shape.word === 'subscribe') isSubscribed = true
      if (subscribes && redis.status === 'ready') return checkOfSubscriber(shape)
      if (shape.isNull && redis.status === 'connect') return 'null answers nothing that was asked'
      return checkRedirection(shape)
    },
  })
  let isDestroyed = false
  const receive = (chunk: Buffer) => {
    if (isDestroyed) return
    waiting = redis.commandQueue.length
    isSubscribed = redis.mode === 'subscriber'
    const isLate = scanner.isWithin && performance.now() - beganAtMs > replyMaxMs
    const fault = isLate ? `it is incomplete after ${replyMaxMs} ms` : scanner.scan(chunk)
    if (fault === undefined) {
      parse.call(stream, chunk)
      return
    }
    isDestroyed = true
    stream.destroy(new Error(`Redis sent what can't be understood, and the connection was dropped: ${fault}`))
  }
  stream.off('data', parse as typeof receive).prependListener('data', receive)
}

/** What ioredis takes for an answer to SUBSCRIBE or PING without a look at it. */
function checkOfSubscriber({ type, elements, word }: ReplyShape): string | undefined {
  if (type === '-') return undefined
  const wanted = type === '+' ? /^PONG$/ : SUBSCRIBER_REPLIES[word]
  return wanted?.test(type === '+' ? word : elements) ? undefined : 'it is neither a message nor about a subscription'
}

const SUBSCRIBER_REPLIES: { readonly [word: string]: RegExp } = {
  message: /^\$\$\$$/,
  subscribe: /^\$\$:$/,
  unsubscribe: /^\$[$_]:$/,
  pong: /^\$[$_]$/,
}

/** A cluster goes where it is told to. */
function checkRedirection({ type, word }: ReplyShape): string | undefined {
  if (type !== '-' || !/^(MOVED|ASK)\b/.test(word)) return undefined
  return /^\w+ \d{1,5} \S*:\d{1,5}$/.test(word) ? undefined : 'it leads nowhere'
}

/** Makes a client fail CLUSTER SLOTS if its reply is no map of slots: ioredis would throw, or never end. Returns the client. */
function checkSlots<Client extends Redis>(redis: Client): Client {
  const sendCommand = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    if (command.name === 'cluster' && /^slots$/i.test(String(command.args[0]))) {
      const { resolve, reject } = command
      command.resolve = (reply) => {
        if (isMapOfSlots(reply)) resolve(reply)
        else reject(new Error('A node of the Redis Cluster has no map of slots that can be understood'))
      }
    }
    return sendCommand(command, stream)
  }
  return redis
}

function isMapOfSlots(reply: unknown): boolean {
  const isSlot = (slot: unknown) => Number.isInteger(slot) && Number(slot) >= 0 && Number(slot) < SLOTS
  const isNode = (node: unknown) => Array.isArray(node) && isPort(node[1])
  const isRange = (range: unknown) =>
    Array.isArray(range) && isSlot(range[0]) && isSlot(range[1]) && range.slice(2).every(isNode)
  return Array.isArray(reply) && reply.every(isRange)
}

const isPort = (port: unknown): boolean => Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536

const SLOTS = 16384

/** Asks sentinels by guarded connections. If they tell no address, the next one is asked: ioredis would give up for ever. */
export const guardedSentinels = (options: GuardRepliesOptions): NonNullable<RedisOptions['Connector']> =>
  class extends SentinelConnector {
    constructor(all: ConstructorParameters<typeof SentinelConnector>[0]) {
      super(all)
      // They are private to TypeScript.
      const own = this as unknown as SentinelMethods
      const connectToSentinel = own.connectToSentinel.bind(this)
      const resolve = own.resolve.bind(this)
      own.connectToSentinel = (...at) => guardReplies(connectToSentinel(...at), options)
      own.resolve = async (endpoint) => {
        const address = await resolve(endpoint)
        if (address === null || (address.host && isPort(address.port))) return address
        throw new Error('it told no address')
      }
    }
  } as NonNullable<RedisOptions['Connector']>

interface SentinelMethods {
  connectToSentinel(endpoint: unknown, options?: unknown): Redis
  resolve(endpoint: unknown): Promise<{ readonly host: string | null; readonly port: number } | null>
}
