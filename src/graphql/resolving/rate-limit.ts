import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { ClientError } from '../../kernel/errors.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import type { Context } from './context.ts'

/** Counts one more action of the request's client. Throws RATE_LIMITED if the client did too many in the present window. */
export type RateLimit = (context: Context) => Promise<void>

export interface RateLimitOptions {
  /** Where all nodes count together. Without it, or while it does not answer, each node counts by itself. */
  readonly redis?: GuardedRedis | undefined
  /** Prefix of the keys of the counts in Redis. */
  readonly prefix: string
  /** Actions of one client in a window. */
  readonly max: number
  /** A whole number. */
  readonly windowSeconds: number
}

export function createRateLimit({ redis, prefix, max, windowSeconds }: RateLimitOptions): RateLimit {
  const window = { points: max, duration: windowSeconds }
  const alone = new RateLimiterMemory(window)
  const limiter = redis
    ? new RateLimiterRedis({
        ...window,
        storeClient: scriptsOn(redis),
        useRedisPackage: true,
        keyPrefix: prefix,
        insuranceLimiter: alone,
        // A client over the limit is refused again without asking Redis.
        inMemoryBlockOnConsumed: max + 1,
      })
    : alone
  return async ({ client }) => {
    try {
      await limiter.consume(client)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
      throw new ClientError(
        'RATE_LIMITED',
        `That is more than ${max} in ${windowSeconds} s: try again in ${seconds} s.`,
      )
    }
  }
}

/** The only command that the limiter sends, in the shape of the package `redis`. It passes through the breaker like all others. */
const scriptsOn = (redis: GuardedRedis) => ({
  async eval(lua: string, { keys: [key = ''], arguments: args }: { keys: string[]; arguments: string[] }) {
    const [body] = await redis.at(key, (client) => [client.eval(lua, 1, key, ...args)])
    return body
  },
})
