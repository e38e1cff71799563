import type { Clock } from '../kernel/clock.ts'

/**
 * `clock`, which calls `onSetBack` as soon as it is read after it was set back by more than a second, before it returns. An entry
 * that was stored before that would seem to live on for as long as the clock was set back.
 *
 * @param onSetBack gets by how much, in milliseconds
 */
export function noticingClock(clock: Clock, onSetBack: (byMs: number) => void): Clock {
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    elapsed: () => clock.elapsed(),
    after: (ms, run) => clock.after(ms, run),
    now: () => {
      const nowMs = clock.now()
      const backMs = lastMs - nowMs
      lastMs = nowMs
      if (backMs > TOLERATED_MS) onSetBack(backMs)
      return nowMs
    },
  }
}

const TOLERATED_MS = 1000
