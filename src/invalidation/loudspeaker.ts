import type { LogStretch } from '../cache/index.ts'

/**
 * Tells other processes that the log went on. It may lose, repeat, delay and reorder what it is given: whoever hears
 * a gap reads the log.
 */
export interface Loudspeaker {
  readonly name: string
  /** Begins to listen, and goes on trying until stopped. */
  start(hear: (heard: Heard) => void): void
  /** Sends in the background; what could not be sent is lost. */
  publish(stretch: LogStretch): void
  stop(): Promise<void>
}

/** Either the records themselves, or only how far the log goes. */
export type Heard =
  | { readonly kind: 'stretch'; readonly stretch: LogStretch }
  | { readonly kind: 'tip'; readonly position: number }
