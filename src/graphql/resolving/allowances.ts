import { LRUCache } from 'lru-cache'
import { type Clock, systemClock } from '../../kernel/clock.ts'
import { ClientError } from '../../kernel/errors.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import type { GuardedRedis } from '../../redis/index.ts'

export interface AllowancesOptions {
  /** `measure`: nothing is refused. */
  readonly mode: 'measure' | 'enforce'
  /** What a client may spend that has not spent anything for a while. */
  readonly max: number
  /** What it may spend again after each second. */
  readonly perSecond: number
  /** Where all nodes count together. Without it, or while it does not answer, each node counts by itself. */
  readonly redis?: GuardedRedis | undefined
  /** Begins the keys in Redis. */
  readonly prefix: string
  readonly observer?: AllowanceObserver
  readonly clock?: Clock
}

export interface AllowanceObserver {
  /** A client has spent all that it may. In `enforce` its request is refused. */
  onExceeded?(mode: AllowancesOptions['mode']): void
  onRedisError?(error: Error): void
}

/**
 * What each client may spend: a token bucket of cost. A request is let in while there is anything left, and takes its price once
 * that is known, so the bucket may fall below nothing, by no more than its size. Until then the request holds `UNPRICED`, which it
 * keeps if it turns out to be nothing that has a price.
 *
 * Each node has a copy of the buckets, and tells Redis what was taken from one in a single script that returns what is left over
 * all nodes. Only the first request of a client at a node waits for that. What is spent while Redis is away is not told later.
 */
export class Allowances {
  readonly #options: AllowancesOptions
  readonly #clock: Clock
  /** Those that were quiet for longest are forgotten, so that a sender of many addresses fills no memory. */
  readonly #buckets = new LRUCache<string, Bucket>({ max: 50_000 })

  constructor(options: AllowancesOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Lets a request of a client in. Throws, or rejects with, RATE_LIMITED (429) if the client has nothing left. Close the allowance in the end. */
  open(client: string): PromiseOrValue<Allowance> {
    const known = this.#buckets.get(client)
    if (known) return this.#admit(client, known)
    const bucket = { left: this.#options.max, atMs: this.#clock.elapsed(), untold: 0, isTelling: false }
    this.#buckets.set(client, bucket)
    return this.#options.redis
      ? this.#tell(client, bucket).then(() => this.#admit(client, bucket))
      : this.#admit(client, bucket)
  }

  #admit(client: string, bucket: Bucket): Allowance {
    const { mode, observer } = this.#options
    this.#refill(bucket)
    if (bucket.left <= 0) {
      observer?.onExceeded?.(mode)
      if (mode === 'enforce') throw this.#refusal(bucket)
    }
    const take = (cost: number) => this.#take(bucket, cost)
    take(UNPRICED)
    let held = UNPRICED
    let isClosed = false
    const settle = (cost: number) => {
      take(cost - held)
      held = cost
    }
    return {
      price: (cost) => {
        if (isClosed) return
        settle(cost)
        void this.#tell(client, bucket)
      },
      waive: () => settle(0),
      close: () => {
        isClosed = true
        if (bucket.untold !== 0) void this.#tell(client, bucket)
      },
      left: () => Math.max(0, Math.floor(bucket.left)),
      headers: () => this.#headersOf(bucket),
    }
  }

  #take(bucket: Bucket, cost: number): void {
    this.#refill(bucket)
    bucket.left = Math.max(bucket.left - cost, -this.#options.max)
    bucket.untold += cost
  }

  #refill(bucket: Bucket): void {
    const { max, perSecond } = this.#options
    const nowMs = this.#clock.elapsed()
    bucket.left = Math.min(max, bucket.left + ((nowMs - bucket.atMs) * perSecond) / 1000)
    bucket.atMs = nowMs
  }

  /** Tells Redis what was taken, and learns what is left over all nodes. Never rejects. */
  async #tell(client: string, bucket: Bucket): Promise<void> {
    const { redis, prefix, max, perSecond, observer } = this.#options
    if (!redis || bucket.isTelling) return
    const told = bucket.untold
    bucket.untold = 0
    bucket.isTelling = true
    try {
      const key = `${prefix}${client}`
      const [left] = await redis.at(key, (client) => [client.eval(TAKE, 1, key, max, perSecond, told)])
      this.#refill(bucket)
      bucket.left = Number(left) - bucket.untold
    } catch (error) {
      observer?.onRedisError?.(error as Error)
      bucket.untold = 0
    } finally {
      bucket.isTelling = false
    }
    if (bucket.untold > 0) await this.#tell(client, bucket)
  }

  #refusal(bucket: Bucket): ClientError {
    const { perSecond } = this.#options
    const seconds = Math.max(1, Math.ceil((1 - bucket.left) / perSecond))
    const message = `Your requests have cost more than the server gives you for now: try again in ${seconds} s, or ask for less at once.`
    return new ClientError('RATE_LIMITED', message, {
      status: 429,
      retryAfterSeconds: seconds,
      headers: this.#headersOf(bucket),
    })
  }

  /** As draft-ietf-httpapi-ratelimit-headers-10 has them. */
  #headersOf({ left }: Bucket): Readonly<Record<string, string>> {
    const { max, perSecond } = this.#options
    const untilFull = Math.ceil((max - left) / perSecond)
    return {
      'ratelimit-policy': `"cost";q=${max};w=${Math.ceil(max / perSecond)}`,
      ratelimit: `"cost";r=${Math.max(0, Math.floor(left))};t=${untilFull}`,
    }
  }
}

/** What one request takes from its client's bucket. */
export interface Allowance {
  /** What the request costs, once that is known. Takes it in place of what it held. */
  price(cost: number): void
  /** The answer was kept, or is made for another request: this one costs nothing. */
  waive(): void
  /** The request is over. What a refresh in its wake costs is not taken. */
  close(): void
  /** What the client may spend now. */
  left(): number
  /** `RateLimit` and `RateLimit-Policy`. */
  headers(): Readonly<Record<string, string>>
}

/** What a request costs that does not parse, is not valid, or is too large. */
const UNPRICED = 100

interface Bucket {
  left: number
  atMs: number
  /** What was taken since Redis was told. Below 0 if it was given back. */
  untold: number
  isTelling: boolean
}

/**
 * KEYS: the bucket. ARGV: its size, what flows back in a second, what to take. Returns what is left, as text.
 * The clock is that of Redis. A bucket that is full again is the same as none.
 */
const TAKE = `
local max, per_second, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%S+)$')
left, at = tonumber(left) or max, tonumber(at) or now
left = math.min(max, left + math.max(0, now - at) * per_second / 1000)
if cost == 0 then return tostring(left) end
left = math.min(max, math.max(left - cost, -max))
local ms_until_full = math.ceil((max - left) / per_second * 1000) + 1
redis.call('SET', KEYS[1], tostring(left) .. ' ' .. tostring(now), 'PX', ms_until_full)
return tostring(left)
`
