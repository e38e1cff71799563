import type { Cluster, Redis } from 'ioredis'
import { GuardedRedis, hearChannel, Keyring } from '../../redis/index.ts'
import { defineLeaseScripts, giveLeaseBack, type LeaseOptions, wholeMs } from './redis-lease-script.ts'
import { missed, RedisTurns, type RoundTrip } from './redis-turns.ts'
import { ReleaseWakers } from './release-wakers.ts'
import type { Found, ReadRequest, RemoteTier } from './remote-tier.ts'

/**
 * The clients of a tier, and who is told of what happens.
 * @example const options: RedisTierOptions = { redis, onError: (error) => log.warn({ error }, 'Redis') }
 */
export interface RedisTierOptions {
  /**
   * A client that fails at once if it isn't connected: `enableOfflineQueue: false`, and a `commandTimeout`. A `GuardedRedis`
   * shares its breaker with its other users; a bare client is given a breaker of its own.
   */
  readonly redis: Redis | Cluster | GuardedRedis
  /** The same for an end point that only reads, and may lag. Default: `redis` reads and writes. */
  readonly reader?: Redis | GuardedRedis
  /** Hears when leases are given back. A client that goes on trying to connect. Other listeners may share it. */
  readonly subscriber?: Redis
  /** The channel for that: the same in all processes that share entries. Goes with `subscriber`. Without the two every process loads for itself. */
  readonly channel?: string
  /** Begins the names of leases. Default `lease:`. */
  readonly leasePrefix?: string
  /** With secrets, messages on the channel are signed, and others are not heard: see `CacheOptions.secrets`. */
  readonly secrets?: readonly string[] | undefined
  /** Told of each message on the channel that is not signed. HAZARD: anybody may send as many as they like. */
  readonly onForged?: (() => void) | undefined
  /** How long writes wait for a read to travel with, in milliseconds. Default 3. */
  readonly lingerMs?: number
  /** Told of every failed pipeline, and of every change that was dropped. */
  readonly onError: (error: Error) => void
  /** Told when each round trip ends. */
  readonly onRoundTrip?: (trip: RoundTrip) => void
}

/**
 * Entries in Redis or Valkey, one server or a Cluster, and leases on missing keys. The constructor throws a `TypeError` if a
 * client has no `commandTimeout`, or if only one of `subscriber` and `channel` is given.
 *
 * @example
 * const redis = new Redis(url, { enableOfflineQueue: false, commandTimeout: 1000 })
 * const tier = new RedisTier({ redis, subscriber: new Redis(url), channel: 'stet:released', onError })
 * const cache = new Cache({ ledger, settle, remote: tier })
 */
export class RedisTier implements RemoteTier {
  readonly wakes: boolean
  readonly #writer: RedisTurns
  readonly #reader: RedisTurns | undefined
  readonly #leases: LeaseOptions
  readonly #wakers = new ReleaseWakers()
  readonly #deafen: () => void
  readonly #onError: (error: Error) => void

  constructor(options: RedisTierOptions) {
    const {
      subscriber,
      channel,
      secrets,
      onForged,
      onError,
      onRoundTrip = () => {},
      lingerMs = 3,
      leasePrefix = 'lease:',
    } = options
    if ((subscriber === undefined) !== (channel === undefined)) {
      throw new TypeError(
        'A Redis tier takes both `subscriber` and `channel`, to wake who waits for a load, or neither.',
      )
    }
    const turnsOf = (bare: Redis | Cluster | GuardedRedis) => {
      const redis = GuardedRedis.of(bare)
      if (!redis.commandTimeout) {
        throw new TypeError('The Redis client of a tier needs a commandTimeout: without one a read may never end.')
      }
      defineLeaseScripts(redis)
      return new RedisTurns({ redis, leasePrefix, lingerMs, onError, onRoundTrip })
    }
    this.wakes = subscriber !== undefined
    this.#writer = turnsOf(options.redis)
    this.#reader = options.reader && turnsOf(options.reader)
    const keyring = secrets && new Keyring(secrets, 'release of a lease')
    this.#leases = { leasePrefix, channel, keyring }
    this.#onError = onError
    this.#deafen =
      subscriber && channel !== undefined
        ? hearChannel({ subscriber, channel, keyring, hear: (key) => this.#wakers.wake(key), onForged, onError })
        : () => {}
  }

  /** In one round trip to each node. With a reader: one there, and one to the writer for leases on keys that the reader lacks. */
  async read(requests: readonly ReadRequest[]): Promise<readonly Found[]> {
    if (!this.#reader) return this.#writer.read(requests)
    const found = await this.#readNear(this.#reader, requests)
    const rest = requests.filter((each) => !found.has(each))
    const others = await this.#writer.read(rest).catch((error: Error) => {
      if (found.size === 0) throw error
      this.#onError(error)
      return rest.map(missed)
    })
    for (const [index, each] of rest.entries()) found.set(each, others[index] ?? missed(each))
    return requests.map((each) => found.get(each) ?? missed(each))
  }

  write(key: string, bytes: Buffer, ttlMs: number): void {
    this.#writer.change(key, (client) => client.set(key, bytes, 'PX', wholeMs(ttlMs)))
  }

  release(key: string, holder: string): void {
    this.#writer.change(key, (client) => giveLeaseBack(client, { key, holder }, this.#leases))
  }

  onRelease(key: string, wake: () => void): () => void {
    return this.#wakers.add(key, wake)
  }

  /** Sends what waits. Resolves when Redis has answered everything sent so far, or that has failed. */
  async flush(): Promise<void> {
    await Promise.all([this.#reader?.flush(), this.#writer.flush()])
  }

  /** Stops listening, and flushes. The clients stay open. */
  stop(): Promise<void> {
    this.#deafen()
    return this.flush()
  }

  /** What the reader has, and what it lacks if no lease is asked for. Empty if the reader fails: the writer is asked instead. */
  async #readNear(reader: RedisTurns, requests: readonly ReadRequest[]): Promise<Map<ReadRequest, Found>> {
    // The stored entry is known not to serve, and only the writer gives leases.
    const asked = requests.filter(({ lease }) => !lease?.evenIfFound)
    try {
      const found = await reader.read(asked.map(({ key }) => ({ key })))
      return new Map(
        asked
          .map((each, index) => [each, found[index] ?? missed(each)] as const)
          .filter(([{ lease }, { bytes }]) => bytes || !lease),
      )
    } catch (error) {
      this.#onError(error as Error)
      return new Map()
    }
  }
}
