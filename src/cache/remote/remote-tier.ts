/** The far tier, shared by processes: a store of bytes that may forget anything at any time, leases included. */
export interface RemoteTier {
  /** False where `onRelease` never wakes anybody: then no leases are asked for, since who waits would wait until they end. */
  readonly wakes: boolean
  /** What is stored under each key, in their order, all in one round trip. Rejects when the store can't be reached in time. */
  read(requests: readonly ReadRequest[]): Promise<readonly Found[]>
  /** Stores soon, in the background. A failure is reported to the tier's own `onError`. */
  write(key: string, bytes: Buffer, ttlMs: number): void
  /**
   * Gives a lease back, if `holder` still has it, after everything written before has been stored; then whoever waits is
   * woken. In the background. After a `read` that was rejected too: the lease may have been granted all the same.
   */
  release(key: string, holder: string): void
  /**
   * Calls `wake` once, when a lease on `key` is given back. To be asked for before the `read`: the message may overtake
   * its answer. HAZARD: a message can be lost, and a holder can die. NEVER rely on this alone. Returns what stops it.
   */
  onRelease(key: string, wake: () => void): () => void
  /** Resolves once every write and release so far has arrived, or has failed. Never rejects. */
  flush(): Promise<void>
}

export interface ReadRequest {
  readonly key: string
  /** Ask for the right to load this key, where nothing is stored under it. */
  readonly lease?: LeaseRequest
}

export interface LeaseRequest {
  /** Who asks: unguessable, never empty. Opaque to the tier; handed to others that ask meanwhile. */
  readonly holder: string
  /** The lease ends by itself after this time. A holder that asks again begins anew. */
  readonly ms: number
  /** Ask for it though something is stored: the asker found that it no longer serves. */
  readonly evenIfFound?: boolean
  /** Take it away from this holder: what that one brings will be too old. */
  readonly from?: string
}

export interface Found {
  readonly bytes: Buffer | undefined
  /**
   * 'mine': the asker shall load, and release. Otherwise who holds it, and for how long at most. Undefined where none was
   * asked for, or something was found and `evenIfFound` wasn't set.
   */
  readonly lease?: 'mine' | { readonly holder: string; readonly leftMs: number }
}
