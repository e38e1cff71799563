import { TransientMap } from '../kernel/transient-map.ts'

export interface LoadLimitOptions {
  /** How many loads, or writes, run at a time. Default 8. */
  readonly concurrent: number
  /** How many more may wait for their turn. Default 1000. */
  readonly queued: number
  /** How long one waits, in milliseconds. Default 1000. */
  readonly waitMs: number
}

/** What a load takes of the database. What is dear has one place at least, if it waits, and a quarter of them at most. The rest of it waits behind what is cheap. */
export type Weight = 'cheap' | 'dear'

/** Bounds how many loads, or writes, run at a time, so that a cold cache or a burst does not overload the database. The others wait for a while. */
export class LoadLimit {
  readonly #options: LoadLimitOptions
  readonly #what: 'read' | 'written'
  /** Each starts work that waits for its turn, in the order of its arrival. */
  readonly #waiting = { cheap: new TransientMap<number, () => void>(), dear: new TransientMap<number, () => void>() }
  #arrivals = 0
  readonly #running: Record<Weight, number> = { cheap: 0, dear: 0 }
  readonly #dearMax: number
  #last: Weight = 'dear'

  /** @param what is limited, for the message of the error */
  constructor(what: 'read' | 'written', options: LoadLimitOptions = DEFAULTS) {
    this.#options = options
    this.#what = what
    this.#dearMax = Math.max(1, Math.floor(options.concurrent / 4))
  }

  get running(): number {
    return this.#running.cheap + this.#running.dear
  }

  get waiting(): number {
    return this.#waiting.cheap.size + this.#waiting.dear.size
  }

  /** Runs `work` in its turn. @throws DatabaseOverloadedError if too many wait, or if it waited for too long */
  async run<T>(work: () => Promise<T>, weight: Weight = 'cheap'): Promise<T> {
    if (this.#hasPlace(weight)) this.#begin(weight)
    else await this.#turn(weight)
    try {
      return await work()
    } finally {
      this.#running[weight]--
      this.#passOn()
    }
  }

  #hasPlace(weight: Weight): boolean {
    return this.running < this.#options.concurrent && (weight === 'cheap' || this.#running.dear < this.#dearMax)
  }

  /** Resolves once other work has ended and passed its place on. */
  #turn(weight: Weight): Promise<void> {
    const { queued } = this.#options
    const line = this.#waiting[weight]
    const isFull = this.waiting >= queued || (weight === 'dear' && line.size >= Math.ceil(queued / 2))
    if (isFull) return Promise.reject(new DatabaseOverloadedError(this.#what))
    const arrival = ++this.#arrivals
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        line.delete(arrival)
        reject(new DatabaseOverloadedError(this.#what))
      }, this.#options.waitMs)
      line.set(arrival, start)
    })
  }

  #begin(weight: Weight): void {
    this.#running[weight]++
    this.#last = weight
  }

  #passOn(): void {
    const isDearDue = this.#running.dear === 0 && this.#last === 'cheap'
    for (const weight of isDearDue ? (['dear', 'cheap'] as const) : (['cheap', 'dear'] as const)) {
      const line = this.#waiting[weight]
      const [next] = line
      if (!next || !this.#hasPlace(weight)) continue
      const [arrival, start] = next
      line.delete(arrival)
      this.#begin(weight)
      start()
      return
    }
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
