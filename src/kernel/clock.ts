/** Where time comes from, so that a test can hold it still. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since some moment, exact to their fractions: for how long something took. */
  elapsed(): number
  /** Calls `run` once, that many milliseconds from now. Returns what cancels it. Keeps no process alive. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after: (ms, run) => {
    // What is to come later than it can count to, Node calls at once.
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1)).unref()
    return () => clearTimeout(timer)
  },
}

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  elapsed(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Calls that are yet to come. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Moves on, and calls what falls due meanwhile, in order, each at its own time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#nextUntil(untilMs); next; next = this.#nextUntil(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = untilMs
  }

  #nextUntil(untilMs: number) {
    const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs)
    return due.sort((a, b) => a.atMs - b.atMs)[0]
  }
}
