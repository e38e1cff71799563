import type { Clock } from '../../kernel/clock.ts'

/** What a race yields if the time was up first. */
export const OVER = Symbol('over')

/** A moment that several waits share, `ms` milliseconds from now. An infinite one has no timer. */
export class Deadline {
  readonly #over: Promise<typeof OVER> | undefined
  #isOver = false
  readonly cancel: () => void = () => {}

  constructor(clock: Clock, ms: number) {
    if (!Number.isFinite(ms)) return
    let over = () => {}
    this.#over = new Promise((resolve) => {
      over = () => resolve(OVER)
    })
    this.cancel = clock.after(ms, () => {
      this.#isOver = true
      over()
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  race<T>(arrival: Promise<T>): Promise<T | typeof OVER> {
    return this.#over ? Promise.race([arrival, this.#over]) : arrival
  }
}
