import type { Clock } from '../../kernel/clock.ts'
import type { HotKeys } from './hot-keys.ts'

export interface RefresherOptions {
  readonly hotKeys: HotKeys
  readonly clock: Clock
  /** Loads an entry anew if it turns stale within `withinMs`. Never rejects. */
  readonly refresh: (id: string, withinMs: number) => Promise<void>
  /** How often to look, in milliseconds. */
  readonly everyMs: number
  /** How many entries are loaded at a time, at most. */
  readonly concurrency: number
}

/** Loads the entries that are used most anew before they turn stale. Returns a function that stops it. */
export function startRefresher({ hotKeys, clock, refresh, everyMs, concurrency }: RefresherOptions): () => void {
  let stopped = false
  let rounds = 0
  let cancel = clock.after(everyMs, round)

  async function round(): Promise<void> {
    if (++rounds % FADE_EVERY === 0) hotKeys.fade()
    const due = hotKeys.hottest()
    const worker = async () => {
      for (let next = due.shift(); next && !stopped; next = due.shift()) await refresh(next.id, WITHIN * everyMs)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    if (!stopped) cancel = clock.after(everyMs, round)
  }

  return () => {
    stopped = true
    cancel()
  }
}

/** Counts are halved once in so many rounds. */
const FADE_EVERY = 10
/** An entry is due two rounds before it turns stale: if one round is late, there is another. */
const WITHIN = 2
