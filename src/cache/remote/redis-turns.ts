import { type GuardedRedis, type RedisNode, refusal as refusedByBreaker } from '../../redis/index.ts'
import { type Answer, type Change, missed, RedisBatch, type RoundTrip } from './redis-batch.ts'
import type { Found, ReadRequest } from './remote-tier.ts'

export interface RedisTurnsOptions {
  readonly redis: GuardedRedis
  readonly leasePrefix: string
  /** How long changes wait for a read to travel with, in milliseconds. */
  readonly lingerMs: number
  readonly onError: (error: Error) => void
  readonly onRoundTrip: (trip: RoundTrip) => void
}

/**
 * Everything asked for in one turn of the event loop travels in one pipeline to each node. Changes that wait travel with it,
 * so that a request which stores what it missed pays no round trip for that when it reads again.
 */
export class RedisTurns {
  readonly #options: RedisTurnsOptions
  #reads: Read[] = []
  #changes: KeyedChange[] = []
  #turn: NodeJS.Immediate | undefined
  #linger: NodeJS.Timeout | undefined
  #sent = Promise.resolve()

  constructor(options: RedisTurnsOptions) {
    this.#options = options
  }

  /** Rejects if no node answered in time, and at once if every breaker is open. The keys of a node that failed alone are missed. */
  read(requests: readonly ReadRequest[]): Promise<readonly Found[]> {
    if (requests.length === 0) return Promise.resolve([])
    const { redis } = this.#options
    if (requests.every(({ key }) => redis.nodeFor(key)?.admits() === false)) return Promise.reject(refusedByBreaker())
    return new Promise((resolve, reject) => {
      this.#reads.push({ requests, resolve, reject })
      this.#turn ??= setImmediate(() => void this.flush())
    })
  }

  /** Changes what is under `key`, soon. Dropped while the breaker is open. */
  change(key: string, change: Change): void {
    const { redis, lingerMs, onError } = this.#options
    if (redis.nodeFor(key)?.admits() === false) {
      onError(refusedByBreaker())
      return
    }
    this.#changes.push([key, change])
    this.#linger ??= setTimeout(() => void this.flush(), lingerMs)
  }

  /** Sends what waits. Resolves when Redis has answered everything sent so far, or that has failed. */
  flush(): Promise<void> {
    const reads = this.#reads
    const changes = this.#changes
    clearImmediate(this.#turn)
    clearTimeout(this.#linger)
    this.#turn = undefined
    this.#linger = undefined
    this.#reads = []
    this.#changes = []
    this.#sent = Promise.all([this.#sent, this.#send(reads, changes)]).then(() => {})
    return this.#sent
  }

  async #send(reads: readonly Read[], changes: readonly KeyedChange[]): Promise<void> {
    const { redis, leasePrefix, onError, onRoundTrip } = this.#options
    const batches = new Map<RedisNode | undefined, RedisBatch>()
    const batchFor = (key: string) => {
      const node = redis.nodeFor(key)
      const batch = batches.get(node) ?? new RedisBatch(node, leasePrefix)
      batches.set(node, batch)
      return batch
    }
    for (const [key, change] of changes) batchFor(key).change(change)
    const asked = reads.map((read) => ({ ...read, of: read.requests.map((each) => batchFor(each.key).ask(each)) }))

    const answers = new Map<RedisBatch, Promise<Answer>>()
    for (const batch of batches.values()) answers.set(batch, batch.send(onRoundTrip))
    // The reader reports what its read rejects with.
    const rejected = new Set<Error>()
    const answered = asked.map(async ({ requests, of, resolve, reject }) => {
      const parts = await Promise.all(of.map((batch) => answers.get(batch)))
      const failures = parts.flatMap((answer) => answer?.failure ?? [])
      const [failure] = failures
      if (failure && failures.length === requests.length) {
        for (const each of failures) rejected.add(each)
        reject(failure)
      } else resolve(requests.map((each, index) => parts[index]?.found.get(each) ?? missed(each)))
    })
    await Promise.all(answered)
    for (const { failure, refusal } of await Promise.all(answers.values())) {
      if (refusal) onError(refusal)
      if (failure && !rejected.has(failure)) onError(failure)
    }
  }
}

interface Read {
  readonly requests: readonly ReadRequest[]
  resolve(found: readonly Found[]): void
  reject(error: Error): void
}

type KeyedChange = readonly [key: string, change: Change]
