export interface LoadLimitOptions {
  /** How many loads, or writes, run at a time. Default 8. */
  readonly concurrent: number
  /** How many more may wait for their turn. Default 1000. */
  readonly queued: number
  /** How long one waits, in milliseconds. Default 1000. */
  readonly waitMs: number
}

/** Bounds how many loads, or writes, run at a time, so that a cold cache or a burst does not overload the database. The others wait for a while. */
export class LoadLimit {
  readonly #options: LoadLimitOptions
  readonly #what: 'read' | 'written'
  /** Each starts work that waits for its turn, in the order of its arrival. */
  readonly #waiting = new Set<() => void>()
  #running = 0

  /** @param what is limited, for the message of the error */
  constructor(what: 'read' | 'written', options: LoadLimitOptions = DEFAULTS) {
    this.#options = options
    this.#what = what
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Runs `work` in its turn. @throws DatabaseOverloadedError if too many wait, or if it waited for too long */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#options.concurrent) this.#running++
    else await this.#turn()
    try {
      return await work()
    } finally {
      this.#passOn()
    }
  }

  /** Resolves once other work has ended and passed its place on. */
  #turn(): Promise<void> {
    if (this.#waiting.size >= this.#options.queued) return Promise.reject(new DatabaseOverloadedError(this.#what))
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(start)
        reject(new DatabaseOverloadedError(this.#what))
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

const DEFAULTS: LoadLimitOptions = { concurrent: 8, queued: 1000, waitMs: 1000 }

/** More has to be read or written than the database is asked for at once. */
export class DatabaseOverloadedError extends Error {
  override readonly name = 'DatabaseOverloadedError'

  constructor(what: 'read' | 'written') {
    super(`Too much has to be ${what} in the database just now: try again.`)
  }
}
