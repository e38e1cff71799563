/** A Redis server of a test's own, that may be broken at will. */
export interface RedisServer {
  /** The same for as long as it lives, also after `restart`. */
  readonly url: string
  /** Ends it and its connections at once, as a crash would. */
  kill(): Promise<void>
  /** Stops it in its tracks, with every connection open and no answer to any. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Starts it again, killed before or not: with every write it had acknowledged, or empty. */
  restart(options: { readonly keepData: boolean }): Promise<void>
  stop(): Promise<void>
}
