/**
 * Lets requests begin their work one at a time, those of each client in turn (round robin: Nagle, "On Packet Switches with
 * Infinite Storage", RFC 970). Whatever one client sends at once, another waits for one request of it. Between two beginnings
 * the event loop reads its sockets, so that hits, which wait for no turn, are answered in between.
 */
export class Turns {
  readonly #maxWaiting: number
  /** Those that wait, by client, the client whose turn is next first. */
  readonly #waiting = new Map<string, Waiting>()
  #count = 0
  #isBusy = false

  /** @param options.maxWaiting how many requests may wait */
  constructor({ maxWaiting }: { readonly maxWaiting: number }) {
    this.#maxWaiting = maxWaiting
  }

  /** Resolves when a request of `client` may begin. Undefined: at once. Rejects with what `refuse` makes if too many wait. */
  take(client: string, refuse: () => Error): Promise<void> | undefined {
    if (!this.#isBusy) {
      this.#isBusy = true
      setImmediate(this.#next)
      return undefined
    }
    if (this.#count >= this.#maxWaiting) return Promise.reject(refuse())
    this.#count++
    return new Promise((begin) => {
      const waiting = this.#waiting.get(client)
      if (waiting) waiting.begins.push(begin)
      else this.#waiting.set(client, { begins: [begin], begun: 0 })
    })
  }

  readonly #next = (): void => {
    const [client, waiting] = this.#waiting.entries().next().value ?? []
    if (client === undefined || !waiting) {
      this.#isBusy = false
      return
    }
    this.#waiting.delete(client)
    const begin = waiting.begins[waiting.begun++]
    // To the end of the line.
    if (waiting.begun < waiting.begins.length) this.#waiting.set(client, waiting)
    this.#count--
    setImmediate(this.#next)
    begin?.()
  }
}

interface Waiting {
  /** Oldest first. */
  readonly begins: (() => void)[]
  /** How many of them have begun. A list that is shifted takes time in proportion to its length. */
  begun: number
}
