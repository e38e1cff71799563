import type { Redis } from 'ioredis'
import type { RemoteTier } from './remote-tier.ts'

export interface RedisTierOptions {
  /** A client that fails at once where it isn't connected: `enableOfflineQueue: false`, and a `commandTimeout`. */
  readonly redis: Redis
  /** How long writes wait for a read to travel with, in milliseconds. Default 3. */
  readonly lingerMs?: number
  readonly onError: (error: Error) => void
  readonly onRoundTrip?: () => void
}

/**
 * Entries in Redis. Everything asked for in one turn of the event loop travels in one pipeline, and so do the writes
 * that wait: a request that fills what it just missed pays no round trip for it when it reads again.
 */
export class RedisTier implements RemoteTier {
  readonly #options: Required<RedisTierOptions>
  #reads: Read[] = []
  #writes: Write[] = []
  #turn: NodeJS.Immediate | undefined
  #linger: NodeJS.Timeout | undefined
  #sent = Promise.resolve()

  constructor(options: RedisTierOptions) {
    if (!options.redis.options.commandTimeout) {
      throw new TypeError('The Redis client of a tier needs a commandTimeout: without one a read may never end.')
    }
    const { lingerMs = 3, onRoundTrip = () => {} } = options
    this.#options = { ...options, lingerMs, onRoundTrip }
  }

  read(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#reads.push({ keys, resolve, reject })
      this.#turn ??= setImmediate(() => void this.flush())
    })
  }

  write(key: string, bytes: Buffer, ttlMs: number): void {
    this.#writes.push({ key, bytes, ttlMs })
    this.#linger ??= setTimeout(() => void this.flush(), this.#options.lingerMs)
  }

  /** Sends what waits. Resolves when Redis has answered everything sent so far, also where it failed. */
  flush(): Promise<void> {
    const reads = this.#reads
    const writes = this.#writes
    clearImmediate(this.#turn)
    clearTimeout(this.#linger)
    this.#turn = undefined
    this.#linger = undefined
    this.#reads = []
    this.#writes = []
    this.#sent = Promise.all([this.#sent, this.#send(reads, writes)]).then(() => {})
    return this.#sent
  }

  async #send(reads: readonly Read[], writes: readonly Write[]): Promise<void> {
    const keys = [...new Set(reads.flatMap((read) => read.keys))]
    if (keys.length === 0 && writes.length === 0) return
    const pipeline = this.#options.redis.pipeline()
    for (const { key, bytes, ttlMs } of writes) pipeline.set(key, bytes, 'PX', Math.max(1, Math.ceil(ttlMs)))
    if (keys.length > 0) pipeline.mgetBuffer(keys)
    this.#options.onRoundTrip()
    try {
      const replies = (await pipeline.exec()) ?? []
      if (keys.length > 0) {
        const [error, values] = replies.pop() as [Error | null, readonly (Buffer | null)[]]
        if (error) throw error
        const found = new Map(keys.map((key, index) => [key, values[index] ?? undefined]))
        for (const read of reads) read.resolve(read.keys.map((key) => found.get(key)))
      }
      const failure = replies.find(([error]) => error)?.[0]
      if (failure) this.#options.onError(failure)
    } catch (error) {
      if (reads.length === 0) this.#options.onError(error as Error)
      for (const read of reads) read.reject(error as Error)
    }
  }
}

interface Read {
  readonly keys: readonly string[]
  resolve(values: readonly (Buffer | undefined)[]): void
  reject(error: Error): void
}

interface Write {
  readonly key: string
  readonly bytes: Buffer
  readonly ttlMs: number
}
