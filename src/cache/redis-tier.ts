import type { ChainableCommander, Redis } from 'ioredis'
import { hearChannel } from '../kernel/hear-channel.ts'
import {
  askForLeases,
  defineLeaseScripts,
  giveLeaseBack,
  type LeasedWanted,
  parseLeases,
  wholeMs,
} from './redis-lease-script.ts'
import { ReleaseWakers } from './release-wakers.ts'
import type { Found, RemoteTier, Wanted } from './remote-tier.ts'

export interface RedisTierOptions {
  /** A client that fails at once where it isn't connected: `enableOfflineQueue: false`, and a `commandTimeout`. */
  readonly redis: Redis
  /** Hears when leases are given back. A client that goes on trying to connect; others may listen on it too. */
  readonly subscriber?: Redis
  /** Where that is told: the same for all that share entries. Goes with `subscriber`; without them nobody is ever woken. */
  readonly channel?: string
  /** Begins the names of leases. Default `lease:`. */
  readonly leasePrefix?: string
  /** How long writes wait for a read to travel with, in milliseconds. Default 3. */
  readonly lingerMs?: number
  readonly onError: (error: Error) => void
  readonly onRoundTrip?: () => void
}

/**
 * Entries in Redis, and leases on what is missing. Everything asked for in one turn of the event loop travels in one
 * pipeline, and so do the writes and releases that wait: a request that fills what it just missed pays no round trip for
 * it when it reads again.
 */
export class RedisTier implements RemoteTier {
  readonly #options: RedisTierOptions & { readonly lingerMs: number; readonly leasePrefix: string }
  readonly #wakers = new ReleaseWakers()
  readonly #deafen: () => void
  #reads: Read[] = []
  #changes: Change[] = []
  #turn: NodeJS.Immediate | undefined
  #linger: NodeJS.Timeout | undefined
  #sent = Promise.resolve()

  constructor(options: RedisTierOptions) {
    const { redis, subscriber, channel, onError, lingerMs = 3, leasePrefix = 'lease:' } = options
    if (!redis.options.commandTimeout) {
      throw new TypeError('The Redis client of a tier needs a commandTimeout: without one a read may never end.')
    }
    if ((subscriber === undefined) !== (channel === undefined)) {
      throw new TypeError(
        'A Redis tier takes both `subscriber` and `channel`, to wake who waits for a load, or neither.',
      )
    }
    this.#options = { ...options, lingerMs, leasePrefix }
    defineLeaseScripts(redis)
    this.#deafen =
      subscriber && channel !== undefined
        ? hearChannel({ subscriber, channel, hear: (key) => this.#wakers.wake(key), onError })
        : () => {}
  }

  read(wanted: readonly Wanted[]): Promise<readonly Found[]> {
    if (wanted.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#reads.push({ wanted, resolve, reject })
      this.#turn ??= setImmediate(() => void this.flush())
    })
  }

  write(key: string, bytes: Buffer, ttlMs: number): void {
    this.#changeSoon((pipeline) => pipeline.set(key, bytes, 'PX', wholeMs(ttlMs)))
  }

  release(key: string, holder: string): void {
    const { channel, leasePrefix } = this.#options
    this.#changeSoon((pipeline) => giveLeaseBack(pipeline, { leasePrefix, key, holder, channel }))
  }

  onRelease(key: string, wake: () => void): () => void {
    return this.#options.subscriber ? this.#wakers.add(key, wake) : () => {}
  }

  /** Sends what waits. Resolves when Redis has answered everything sent so far, also where it failed. */
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

  /** Wakes nobody any more, and flushes. The clients stay open. */
  stop(): Promise<void> {
    this.#deafen()
    return this.flush()
  }

  #changeSoon(change: Change): void {
    this.#changes.push(change)
    this.#linger ??= setTimeout(() => void this.flush(), this.#options.lingerMs)
  }

  async #send(reads: readonly Read[], changes: readonly Change[]): Promise<void> {
    if (reads.length === 0 && changes.length === 0) return
    const pipeline = this.#options.redis.pipeline()
    for (const change of changes) change(pipeline)
    const question = new Question(reads.flatMap(({ wanted }) => wanted))
    question.ask(pipeline, this.#options.leasePrefix)
    this.#options.onRoundTrip?.()
    try {
      const replies = (await pipeline.exec()) ?? []
      const answer = question.parse(replies.slice(changes.length))
      for (const { wanted, resolve } of reads) resolve(wanted.map(answer))
      const failure = replies.find(([error]) => error)?.[0]
      if (failure) this.#options.onError(failure)
    } catch (error) {
      if (reads.length === 0) this.#options.onError(error as Error)
      for (const { reject } of reads) reject(error as Error)
    }
  }
}

/** All that is read in one turn: entries alone by MGET, what a lease is wanted for by one script. */
class Question {
  readonly #leased: readonly LeasedWanted[]
  readonly #plain: readonly string[]

  constructor(wanted: readonly Wanted[]) {
    this.#leased = [...new Set(wanted)].filter((each): each is LeasedWanted => each.lease !== undefined)
    const brought = new Set(this.#leased.map(({ key }) => key))
    this.#plain = [...new Set(wanted.map(({ key }) => key))].filter((key) => !brought.has(key))
  }

  ask(pipeline: ChainableCommander, leasePrefix: string): void {
    if (this.#plain.length > 0) pipeline.mgetBuffer([...this.#plain])
    if (this.#leased.length > 0) askForLeases(pipeline, leasePrefix, this.#leased)
  }

  /** Throws what Redis refused to answer with. */
  parse(replies: readonly (readonly [Error | null, unknown])[]): (wanted: Wanted) => Found {
    const refusal = replies.find(([error]) => error)?.[0]
    if (refusal) throw refusal
    const bodies = replies.map(([, body]) => body)
    const values = this.#plain.length > 0 ? (bodies.shift() as readonly (Buffer | null)[]) : []
    const bytes = new Map(this.#plain.map((key, index) => [key, values[index] ?? undefined]))
    const found = parseLeases(bodies.shift() ?? [], this.#leased)
    for (const [{ key }, each] of found) bytes.set(key, each.bytes)
    return (wanted) => found.get(wanted) ?? { bytes: bytes.get(wanted.key) }
  }
}

interface Read {
  readonly wanted: readonly Wanted[]
  resolve(found: readonly Found[]): void
  reject(error: Error): void
}

type Change = (pipeline: ChainableCommander) => void
