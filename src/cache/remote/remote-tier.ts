/**
 * The far tier, shared by processes: a store of bytes that may forget anything at any time, leases included. `stet/cache/contract`
 * has its promises as test cases.
 *
 * @example
 * const tier: RemoteTier = new RedisTier({ redis, onError })
 * const [found] = await tier.read([{ key: 'stet:city.aSYTnF0P:1' }])
 */
export interface RemoteTier {
  /** False if `onRelease` never wakes a reader: then no leases are asked for, because readers would wait until they end. */
  readonly wakes: boolean
  /** What is stored under each key, in their order, all in one round trip. Rejects when the store can't be reached in time. */
  read(requests: readonly ReadRequest[]): Promise<readonly Found[]>
  /** Stores soon, in the background. A failure is reported to the tier's own `onError`. */
  write(key: string, bytes: Buffer, ttlMs: number): void
  /**
   * Gives a lease back if `holder` still has it, in the background, after everything written before has been stored. Then the
   * readers that wait for it are woken. Called after a rejected `read` too: the lease may have been granted all the same.
   */
  release(key: string, holder: string): void
  /**
   * Calls `wake` once, when a lease on `key` is given back. Call it before the `read`, because the message may overtake its
   * answer. HAZARD: a message can be lost, and a holder can die. NEVER rely on this alone. Returns a function that stops it.
   */
  onRelease(key: string, wake: () => void): () => void
  /** Resolves once every write and release so far has arrived, or has failed. Never rejects. */
  flush(): Promise<void>
}

/** One key to read. @example const request: ReadRequest = { key, lease: { holder: randomUUID(), ms: 1000 } } */
export interface ReadRequest {
  readonly key: string
  /** Asks for the right to load this key, if nothing is stored under it. */
  readonly lease?: LeaseRequest
}

/**
 * Asks for a lease: the right to load one key, which one process has at a time.
 * @example const lease: LeaseRequest = { holder: randomUUID(), ms: 1000, evenIfFound: true }
 */
export interface LeaseRequest {
  /** Names this request: unguessable, never empty. Opaque to the tier, which hands it to other processes that ask meanwhile. */
  readonly holder: string
  /** The lease ends by itself after so many milliseconds. If its holder asks again, they begin anew. */
  readonly ms: number
  /** Asks for it though something is stored, because that no longer serves. */
  readonly evenIfFound?: boolean
  /** Takes it away from this holder, because what that one loads will be too old. */
  readonly from?: string
}

/**
 * What a read found under one key.
 *
 * @example
 * const { bytes, lease }: Found = found
 * if (!bytes && lease === 'mine') await loadAndStore(key)
 */
export interface Found {
  /** Undefined if nothing is stored. */
  readonly bytes: Buffer | undefined
  /**
   * `mine`: this process shall load the key, and release the lease. Otherwise its holder, and for how long at most. Undefined
   * if none was asked for, or if something was found and `evenIfFound` wasn't set.
   */
  readonly lease?: 'mine' | { readonly holder: string; readonly leftMs: number }
}
