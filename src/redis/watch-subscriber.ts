import type { Redis } from 'ioredis'

export interface WatchSubscriberOptions {
  /** How often to ask for a sign of life, in milliseconds. Default 500. */
  readonly everyMs?: number
  /** How long the server may take for it, in milliseconds. Default 1000. */
  readonly silenceMs?: number
  /** Called for each connection that is cut. */
  readonly onCut?: (() => void) | undefined
}

export interface SubscriberWatch {
  /** True while the client is subscribed, and its connection is not known to be dead. */
  isWell(): boolean
}

/**
 * Cuts the connection of a client that subscribes if the server is silent for too long. The client then connects anew. A
 * connection can be dead without a sign, and one that only listens would never notice.
 *
 * While the connection is ready, a PING asks for a sign of life. Before that, ioredis has asked for something itself. Ends with the client.
 */
export function watchSubscriber(redis: Redis, options: WatchSubscriberOptions = {}): SubscriberWatch {
  const { everyMs = 500, silenceMs = 1000, onCut = () => {} } = options
  watched.add(redis)
  /** What was read when something was asked for, and when that was. */
  let asked: { readonly stream: Redis['stream']; readonly bytesRead: number; readonly atMs: number } | undefined
  const isSilent = () =>
    asked !== undefined && asked.stream === redis.stream && asked.bytesRead === redis.stream.bytesRead
  const isLate = () => isSilent() && asked !== undefined && performance.now() - asked.atMs >= silenceMs
  const cut = () => {
    if (!isLate() || redis.stream.destroyed) return
    onCut()
    redis.stream.destroy(new Error(`Redis was silent for ${silenceMs} ms, and the subscriber's connection was cut`))
  }
  const look = () => {
    const { status, stream } = redis
    if (status !== 'connect' && status !== 'ready') asked = undefined
    else if (!isSilent()) {
      asked = { stream, bytesRead: stream.bytesRead, atMs: performance.now() }
      // If the connection is lost, the error is told by it.
      if (status === 'ready') redis.ping().catch(() => {})
      // Node runs timers before it reads sockets: after a pause of this process, the answer may be there.
    } else if (isLate()) setImmediate(cut)
  }
  const timer = setInterval(look, everyMs)
  timer.unref()
  redis.once('end', () => clearInterval(timer))
  return { isWell: () => redis.status === 'ready' && redis.mode === 'subscriber' && !isLate() }
}

export const isWatched = (redis: Redis): boolean => watched.has(redis)

const watched = new WeakSet<Redis>()
