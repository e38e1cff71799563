import { AskerError } from '../kernel/errors.ts'

export interface LoadLimitOptions {
  /** How many loads run at once. */
  readonly concurrent: number
  /** How many more may wait for their turn. */
  readonly queued: number
  /** How long one waits, in milliseconds. */
  readonly waitMs: number
}

/** Keeps a cold cache from taking the database with it: what is beyond the limit waits briefly, then fails with `OVERLOADED`. */
export class LoadLimit {
  readonly #options: LoadLimitOptions
  /** In the order they came: each starts one that waits. */
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(options: LoadLimitOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.size
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#options.concurrent) this.#running++
    else await this.#turn()
    try {
      return await work()
    } finally {
      this.#passOn()
    }
  }

  /** Resolves when somebody who ran passes their place on. */
  #turn(): Promise<void> {
    if (this.#waiting.size >= this.#options.queued) return Promise.reject(overloaded())
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(start)
        reject(overloaded())
      }, this.#options.waitMs)
      this.#waiting.add(start)
    })
  }

  #passOn(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

const overloaded = (): AskerError =>
  new AskerError('OVERLOADED', 'Too much has to be read from the database just now: try again.', { status: 503 })
