import { randomUUID } from 'node:crypto'
import type { Cache } from '../cache/index.ts'
import type { GuardedRedis } from '../redis/index.ts'

export interface RememberHottestOptions {
  readonly cache: Cache
  readonly redis: GuardedRedis
  /** Begins the key of this node's list. */
  readonly prefix: string
  /** How often it is written, in milliseconds. Default: 10,000. */
  readonly everyMs?: number
  readonly onError: (error: Error) => void
}

/** Keeps a list in Redis of the entries that this node uses most, for `stet cache warm` after the next deployment. Returns what stops it. */
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

/** How long the list outlives the node: as long as a deployment may take. */
const KEPT_SECONDS = 3600
