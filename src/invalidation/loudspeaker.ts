import type { LogStretch } from '../cache/index.ts'

/**
 * Tells other processes that the log has new records. It may lose, repeat, delay and reorder messages: a follower that hears of
 * a gap reads the log, and its beat finds what no message told.
 *
 * @example
 * const channel = new BroadcastChannel('log')
 * const threads: Loudspeaker = {
 *   name: 'threads',
 *   start: (hear) => {
 *     channel.onmessage = ({ data }) => hear({ kind: 'stretch', stretch: data })
 *   },
 *   publish: (stretch) => channel.postMessage(stretch),
 *   stop: async () => channel.close(),
 * }
 */
export interface Loudspeaker {
  /** For metrics. */
  readonly name: string
  /** Begins to listen. Tries again until stopped, if it can't. */
  start(hear: (heard: Heard) => void): void
  /** Sends in the background. What can't be sent is lost. */
  publish(stretch: LogStretch): void
  stop(): Promise<void>
}

/**
 * What a loudspeaker heard: the new records, or only how far the log goes.
 * @example hear({ kind: 'tip', position: 42 })
 */
export type Heard =
  | { readonly kind: 'stretch'; readonly stretch: LogStretch }
  | { readonly kind: 'tip'; readonly position: number }
