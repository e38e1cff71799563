/** Where time comes from. A test can hold it still: see `test/models/manual-clock.ts`. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since an arbitrary moment, with fractions: to measure how long something takes. */
  elapsed(): number
  /** Calls `run` once, `ms` milliseconds from now. Returns a function that cancels the call. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after: (ms, run) => {
    // HAZARD: Node calls at once what is to be called later than 2^31 - 1 ms from now.
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1)).unref()
    return () => clearTimeout(timer)
  },
}
