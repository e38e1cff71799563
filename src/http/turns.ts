import { endTurn } from '../kernel/turn-end.ts'

/**
 * Bounds for how long requests keep the event loop from its sockets. In each turn of the loop, requests work for `sliceMs`. Those
 * that come later, or have waited for a load meanwhile, wait for the next turn. There each client is served
 * for the same time, not the same number of requests (as in Demers, Keshav, Shenker, "Analysis and Simulation of a Fair Queueing
 * Algorithm", SIGCOMM 1989). So whatever one client sends at once, and however dear it is, another soon has its turn; and hits,
 * which need none, are answered in between. Requests that begin in the same turn still share their loads.
 */
export class Turns {
  readonly #options: TurnsOptions
  /** Those that wait. The one that was served last stands last. */
  readonly #waiting = new Map<string, Client>()
  /** Those that wait for nothing and have had more than their share, while others wait. */
  readonly #ahead = new Map<string, Client>()
  #sweepAt = MIN_SWEEP
  #count = 0
  /** When the first request of this turn of the loop began. Undefined: none has. */
  #since: number | undefined
  /** Some request does what it can: no other may work until it waits, or has ended. */
  #isServing = false
  #served: { readonly name: string; readonly client: Client; readonly atMs: number } | undefined
  /** For how long each that waits would have been served by now, if all had shared the time evenly. Whoever comes begins here. */
  #fairMs = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** Resolves when a request of `client` may begin. Undefined: at once. Rejects with what `refuse` makes if too many wait. */
  take(client: string, refuse: () => Error): Promise<void> | undefined {
    if (this.#mayServeAtOnce()) return undefined
    if (this.#count >= this.#options.maxWaiting) return Promise.reject(refuse())
    return this.#wait(client, 'toBegin')
  }

  /** Resolves when a request of `client` that has begun, and has waited for something, may work on. Undefined: at once. */
  goOn(client: string): Promise<void> | undefined {
    return this.#mayServeAtOnce() ? undefined : this.#wait(client, 'toGoOn')
  }

  /** How many clients it remembers. */
  get size(): number {
    return this.#waiting.size + this.#ahead.size
  }

  #mayServeAtOnce(): boolean {
    if (this.#count > 0 || this.#isServing || !this.#hasTime()) return false
    this.#beginToServe()
    return true
  }

  /** Node runs what a microtask asks for by `nextTick` once no microtask is left: by then the request has done what it can. */
  #beginToServe(): void {
    this.#isServing = true
    queueMicrotask(() => process.nextTick(this.#endServing))
  }

  readonly #endServing = (): void => {
    this.#isServing = false
    this.#serve()
  }

  #wait(name: string, line: 'toGoOn' | 'toBegin'): Promise<void> {
    this.#count++
    return new Promise((resolve) => {
      const known = this.#waiting.get(name) ?? this.#ahead.get(name)
      const client = known ?? { servedMs: 0, toGoOn: new Line(), toBegin: new Line() }
      if (!isWaiting(client)) client.servedMs = Math.max(client.servedMs, this.#fairMs)
      this.#ahead.delete(name)
      this.#waiting.set(name, client)
      client[line].push(resolve)
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
    // What was asked for meanwhile goes out before others work.
    endTurn()
    if (!this.#isServing) this.#serve()
  }

  #serve(): void {
    const waited = this.#served !== undefined
    this.#charge()
    if (this.#count > 0 && this.#hasTime()) {
      this.#serveNext()
      return
    }
    if (this.#count === 0) this.#ahead.clear()
    if (this.#count > 0 || waited) endTurn()
  }

  /** Whoever was served has used the time that went by. */
  #charge(): void {
    if (!this.#served) return
    const { name, client, atMs } = this.#served
    const { now, sliceMs } = this.#options
    const tookMs = now() - atMs
    this.#served = undefined
    this.#fairMs += tookMs / (this.#waiting.size + (isWaiting(client) ? 0 : 1))
    client.servedMs = Math.min(client.servedMs + tookMs, this.#fairMs + MAX_SLICES_AHEAD * sliceMs)
    if (isWaiting(client) || this.#isDue(client)) return
    this.#ahead.set(name, client)
    if (this.#ahead.size > this.#sweepAt) this.#sweep()
  }

  /** Forgets those that others have caught up with. */
  #sweep(): void {
    for (const [name, client] of this.#ahead) if (this.#isDue(client)) this.#ahead.delete(name)
    this.#sweepAt = 2 * this.#ahead.size + MIN_SWEEP
  }

  /** It has had no more than its share. */
  #isDue({ servedMs }: Client): boolean {
    return servedMs <= this.#fairMs
  }

  #serveNext(): void {
    const [name, client] = this.#next() ?? []
    if (name === undefined || !client) return
    this.#count--
    this.#served = { name, client, atMs: this.#options.now() }
    const resolve = client.toGoOn.shift() ?? client.toBegin.shift()
    this.#waiting.delete(name)
    if (isWaiting(client)) this.#waiting.set(name, client)
    this.#beginToServe()
    resolve?.()
  }

  /** Of those that wait, the one that was served longest ago and has had no more than its share. Otherwise the one that has had least. */
  #next(): [string, Client] | undefined {
    let next: [string, Client] | undefined
    for (const one of this.#waiting) {
      if (this.#isDue(one[1])) return one
      if (!next || one[1].servedMs < next[1].servedMs) next = one
    }
    return next
  }
}

const MIN_SWEEP = 100
/** So that one long piece of work, or a pause that was none of its own, doesn't make a client wait for seconds. */
const MAX_SLICES_AHEAD = 10

export interface TurnsOptions {
  /** How many requests may wait before any more are refused. Those that have begun never are. */
  readonly maxWaiting: number
  /** For how long requests may work in one turn of the event loop, in milliseconds. */
  readonly sliceMs: number
  /** The time, in milliseconds since an arbitrary moment. */
  readonly now: () => number
}

interface Client {
  /** For how long it was served: see `#fairMs`. */
  servedMs: number
  /** They are served first: they hold what they have loaded. */
  readonly toGoOn: Line
  readonly toBegin: Line
}

const isWaiting = ({ toGoOn, toBegin }: Client): boolean => toGoOn.length + toBegin.length > 0

/** First in, first out. A list that is shifted takes time in proportion to its length, so that is done now and then. */
class Line {
  readonly #items: ((() => void) | undefined)[] = []
  #shifted = 0

  get length(): number {
    return this.#items.length - this.#shifted
  }

  push(item: () => void): void {
    this.#items.push(item)
  }

  shift(): (() => void) | undefined {
    if (this.#shifted > this.#items.length / 2) {
      this.#items.splice(0, this.#shifted)
      this.#shifted = 0
    }
    const item = this.#items[this.#shifted]
    if (item) this.#items[this.#shifted++] = undefined
    return item
  }
}
