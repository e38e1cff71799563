/** The far tier, shared by processes: a store of bytes that may forget anything at any time. */
export interface RemoteTier {
  /** The stored bytes in the order of `keys`, all in one round trip. Rejects when the store can't be reached in time. */
  read(keys: readonly string[]): Promise<readonly (Buffer | undefined)[]>
  /** Stores soon, in the background. A failure is reported to the tier's own `onError`. */
  write(key: string, bytes: Buffer, ttlMs: number): void
}
