import type { Clock } from '../../src/kernel/clock.ts'

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #nowMs: number
  #shownMs = 0
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs + this.#shownMs
  }

  elapsed(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many calls are yet to come. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Moves on by `ms`, and makes the calls that fall due meanwhile, in order, each at its own time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#nextUntil(untilMs); next; next = this.#nextUntil(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = untilMs
  }

  /** Sets what it shows by `ms`, ahead or back, while no time passes. */
  set(ms: number): void {
    this.#shownMs += ms
  }

  #nextUntil(untilMs: number) {
    const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs)
    return due.sort((a, b) => a.atMs - b.atMs)[0]
  }
}
