import { type Clock, systemClock } from './clock.ts'

/**
 * Makes a `tell` that may be called for every error, and passes on at most one error in `everyMs`, with the number of those that
 * it kept back since. A dependency that is down fails a thousand times a second.
 */
export function sparingly(
  tell: (error: Error, untold: number) => void,
  everyMs = 10_000,
  clock: Clock = systemClock,
): (error: Error) => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  let untold = 0
  return (error) => {
    if (clock.now() < quietUntil) {
      untold++
      return
    }
    tell(error, untold)
    untold = 0
    quietUntil = clock.now() + everyMs
  }
}
