/**
 * Bounds for how long requests keep the event loop from its sockets. In each turn of the loop, requests begin their work for
 * `sliceMs`. Those that come later wait for the next turn, where clients begin one request each, round robin (Nagle, "On Packet
 * Switches with Infinite Storage", RFC 970). So whatever one client sends at once, another soon has its turn, and hits, which
 * need none, are answered in between. Requests that begin in the same turn still share their loads.
 */
export class Turns {
  readonly #options: TurnsOptions
  /** Those that wait, by client, the client whose turn is next first. */
  readonly #waiting = new Map<string, Waiting>()
  #count = 0
  /** When the first request of this turn of the loop began. Undefined: none has. */
  #since: number | undefined

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Resolves when a request of `client` may begin. Undefined: at once. Rejects with what `refuse` makes if too many wait. */
  take(client: string, refuse: () => Error): Promise<void> | undefined {
    if (this.#count === 0 && this.#hasTime()) return undefined
    if (this.#count >= this.#options.maxWaiting) return Promise.reject(refuse())
    this.#count++
    return new Promise((begin) => {
      const waiting = this.#waiting.get(client)
      if (waiting) waiting.begins.push(begin)
      else this.#waiting.set(client, { begins: [begin], begun: 0 })
    })
  }

  #hasTime(): boolean {
    const { sliceMs, now } = this.#options
    if (this.#since === undefined) {
      this.#since = now()
      setImmediate(this.#nextTurn)
    }
    return now() - this.#since < sliceMs
  }

  readonly #nextTurn = (): void => {
    this.#since = undefined
    this.#goOn()
  }

  #beginNext(): void {
    const [client, waiting] = this.#waiting.entries().next().value ?? []
    if (client === undefined || !waiting) return
    this.#waiting.delete(client)
    const begin = waiting.begins[waiting.begun++]
    // To the end of the line.
    if (waiting.begun < waiting.begins.length) this.#waiting.set(client, waiting)
    this.#count--
    begin?.()
    // Node runs what a microtask asks for by `nextTick` once no microtask is left: by then the request has done what it can.
    queueMicrotask(() => process.nextTick(this.#goOn))
  }

  readonly #goOn = (): void => {
    if (this.#count > 0 && this.#hasTime()) this.#beginNext()
  }
}

export interface TurnsOptions {
  /** How many requests may wait. */
  readonly maxWaiting: number
  /** For how long requests may begin in one turn of the event loop, in milliseconds. */
  readonly sliceMs: number
  /** The time, in milliseconds since an arbitrary moment. */
  readonly now: () => number
}

interface Waiting {
  /** Oldest first. */
  readonly begins: (() => void)[]
  /** How many of them have begun. A list that is shifted takes time in proportion to its length. */
  begun: number
}
