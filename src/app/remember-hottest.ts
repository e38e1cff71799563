import { randomUUID } from 'node:crypto'
import type { Cache } from '../cache/index.ts'
import type { GuardedRedis } from '../redis/index.ts'

export interface RememberHottestOptions {
  readonly cache: Cache
  readonly redis: GuardedRedis
  /** Begins the key under which this node's list stands. */
  readonly prefix: string
  /** How often it is written. Default: every ten seconds. */
  readonly everyMs?: number
  readonly onError: (error: Error) => void
}

/** Writes down in Redis what this node uses most, for `stet cache warm` after the next deployment. Returns what stops it. */
export function startRememberingHottest(options: RememberHottestOptions): () => void {
  const { cache, redis, prefix, everyMs = 10_000, onError } = options
  const key = prefix + randomUUID()
  const timer = setInterval(() => {
    const hottest = cache.hottest().map(({ kind, key, count }) => [kind, key, count])
    if (hottest.length === 0) return
    const text = JSON.stringify(hottest)
    redis.each([key], (pipeline) => pipeline.set(key, text, 'EX', KEPT_SECONDS)).catch(onError)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** Outlives the node for as long as a deployment may take. */
const KEPT_SECONDS = 3600
