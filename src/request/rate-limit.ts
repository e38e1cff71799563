import type { Cluster, Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { AskerError } from '../kernel/errors.ts'
import type { Context } from './context.ts'

/** Counts what somebody does. Throws RATE_LIMITED where they did it too often. */
export type RateLimit = (context: Context) => Promise<void>

export interface RateLimitOptions {
  /** All nodes count together there. Absent, or not answering: each node counts by itself. */
  readonly redis?: Redis | Cluster | undefined
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
        storeClient: redis,
        keyPrefix: prefix,
        insuranceLimiter: alone,
        rejectIfRedisNotReady: true,
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
