import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { AskerError } from '../../kernel/errors.ts'
import type { GuardedRedis } from '../../redis/index.ts'
import type { Context } from './context.ts'

/** Counts what somebody does. Throws RATE_LIMITED where they did it too often. */
export type RateLimit = (context: Context) => Promise<void>

export interface RateLimitOptions {
  /** All nodes count together there. Absent, not answering, or left alone: each node counts by itself. */
  readonly redis?: GuardedRedis | undefined
  /** Begins the keys of the counts. */
  readonly prefix: string
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
        // Who is refused is refused again without asking Redis.
        inMemoryBlockOnConsumed: max + 1,
      })
    : alone
  return async ({ asker }) => {
    try {
      await limiter.consume(asker)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
      throw new AskerError('RATE_LIMITED', `That is more than ${max} in ${windowSeconds} s: try again in ${seconds} s.`)
    }
  }
}

/** All that the limiter asks of a client, in the shape of the package `redis`: so it goes by the breaker like everything else. */
const scriptsOn = (redis: GuardedRedis) => ({
  async eval(lua: string, { keys: [key = ''], arguments: args }: { keys: string[]; arguments: string[] }) {
    const [body] = await redis.at(key, (pipeline) => pipeline.eval(lua, 1, key, ...args))
    return body
  },
})
