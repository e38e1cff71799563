import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isPublished } from './is-published.ts'
import { reservePort } from './reserve-port.ts'
import { getTestRun } from './test-run.ts'

export interface FaultProxyOptions {
  readonly host: string
  readonly port: number
}

/** Starts a TCP proxy that stands between a client and a server, and can be made to fail like a network. */
export async function startFaultProxy(target: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(target, await reservePort(getTestRun().directory))
  await proxy.restore()
  return proxy
}

export class FaultProxy {
  readonly port: number
  #target: FaultProxyOptions
  readonly #pairs = new Set<Pair>()
  #mode: Mode = { is: 'cut' }
  #delayMs = 0
  #bytesPerMs = Number.POSITIVE_INFINITY
  #loseEvery = Number.POSITIVE_INFINITY
  #instead: Buffer | undefined
  #published = 0
  #roundTrips = 0
  #bytes = 0
  #pings = 0

  constructor(target: FaultProxyOptions, port: number) {
    this.#target = target
    this.port = port
  }

  /** The same URL, but leading through the proxy. */
  through(url: string): string {
    const detour = new URL(url)
    detour.hostname = '127.0.0.1'
    detour.port = String(this.port)
    return detour.href
  }

  /** Where connections lead that are made from now on: as when a name is given to another server. */
  leadTo(target: FaultProxyOptions): void {
    this.#target = target
  }

  /** How often a client spoke after the server last had, over all connections: a pipeline or a batch counts once. */
  roundTrips(): number {
    return this.#roundTrips
  }

  /** How many bytes clients have sent, also where nothing gets through. */
  bytes(): number {
    return this.#bytes
  }

  /** The same without PINGs: a client asks for signs of life by the clock. */
  bytesBesidePings(): number {
    return this.#bytes - this.#pings * PING.length
  }

  resetCounts(): void {
    this.#roundTrips = 0
    this.#bytes = 0
    this.#pings = 0
  }

  /** Adds this much to every round trip, keeping the order of bytes. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** Lets no more than so much through in a second, in each direction of each connection. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  /** From now on everything that the server says becomes this. */
  replaceReplies(bytes: string): void {
    this.#instead = Buffer.from(bytes)
  }

  /** Every n-th message of Redis pub/sub gets lost, as none is promised to arrive. Nothing else can get lost on a connection that stays. */
  loseMessages(every: number): void {
    this.#loseEvery = every
  }

  /** Resets connections (RST, to both ends): each with this chance. Others can be made. Returns how many it were. */
  reset(chance = 1, random: () => number = Math.random): number {
    const doomed = [...this.#pairs].filter(() => random() < chance)
    for (const { client, server } of doomed) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
    return doomed.length
  }

  /**
   * As when a firewall forgets: what is connected now stays so, and nothing gets through it ever again. Others can be made.
   *
   * @param said only the connections whose client has said this, early on. Default: all of them
   * @returns how many it were
   */
  halfOpen(said = ''): number {
    const forgotten = this.#saying(said)
    for (const pair of forgotten) pair.forgotten = true
    return forgotten.length
  }

  /**
   * Sends bytes to clients as if the server had, at once. Returns to how many.
   *
   * @param said only to those that have said this, early on
   */
  inject(bytes: string | Buffer, said: string): number {
    const told = this.#saying(said)
    for (const { client } of told) client.write(bytes)
    return told.length
  }

  /** As when the server has died: breaks every connection, refuses new ones. */
  async cut(): Promise<void> {
    if (this.#mode.is === 'cut') return
    const mode = this.#mode
    this.#mode = { is: 'cut' }
    if (mode.is === 'stalled') mode.release()
    const closed = once(mode.server, 'close')
    mode.server.close()
    for (const { client, server } of this.#pairs) {
      client.destroy()
      server.destroy()
    }
    await closed
  }

  /** As when packets are lost: connections stay, new ones are accepted, and nothing gets through until `restore`. */
  stall(): void {
    if (this.#mode.is !== 'open') return
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#mode = { is: 'stalled', server: this.#mode.server, released, release }
  }

  /** Ends a cut or a stall, and whatever delays, loses or replaces. What was held back by a stall is delivered. */
  async restore(): Promise<void> {
    this.#delayMs = 0
    this.#bytesPerMs = Number.POSITIVE_INFINITY
    this.#loseEvery = Number.POSITIVE_INFINITY
    this.#instead = undefined
    const mode = this.#mode
    switch (mode.is) {
      case 'open':
        return
      case 'stalled':
        this.#mode = { is: 'open', server: mode.server }
        mode.release()
        return
      case 'cut': {
        const server = createServer((client) => this.#join(client)).listen(this.port, '127.0.0.1')
        await once(server, 'listening')
        this.#mode = { is: 'open', server }
        return
      }
      default:
        mode satisfies never
    }
  }

  async close(): Promise<void> {
    await this.cut()
  }

  #saying(said: string): Pair[] {
    return [...this.#pairs].filter((pair) => !pair.forgotten && pair.said.includes(said))
  }

  #join(client: Socket): void {
    const pair: Pair = { client, server: connect(this.#target), forgotten: false, said: '' }
    this.#pairs.add(pair)
    let serverSpokeLast = true
    client.on('data', (chunk) => {
      if (pair.said.length < REMEMBERED_BYTES) pair.said += chunk.toString('latin1')
      if (isWatch(chunk, pair)) return
      this.#bytes += chunk.length
      this.#pings += countOf(PING, chunk)
      if (serverSpokeLast) this.#roundTrips++
      serverSpokeLast = false
    })
    this.#relay(pair, { from: client, to: pair.server, delayMs: () => 0, isLost: () => false })
    this.#relay(pair, {
      from: pair.server,
      to: client,
      delayMs: () => this.#delayMs,
      isLost: (chunk) => isPublished(chunk) && ++this.#published % this.#loseEvery === 0,
      replaced: (chunk) => this.#instead ?? chunk,
      delivered: () => {
        serverSpokeLast = true
      },
    })
  }

  #relay(pair: Pair, { from, to, delayMs, isLost, delivered, replaced = (chunk) => chunk }: Relay): void {
    from.setNoDelay(true)
    let tail: Promise<unknown> = Promise.resolve()
    let freeAt = 0
    const inTurn = (step: () => unknown, dueAt = 0) => {
      tail = tail.then(() => this.#passage(dueAt)).then(() => pair.forgotten || step())
    }
    from.on('data', (chunk) => {
      if (isLost(chunk)) return
      const now = performance.now()
      freeAt = Math.max(freeAt, now) + chunk.length / this.#bytesPerMs
      const pass = () => {
        delivered?.()
        if (to.writable) to.write(replaced(chunk))
      }
      inTurn(pass, Math.max(freeAt, now + delayMs()))
    })
    from.on('end', () => inTurn(() => to.end()))
    from.on('error', () => {}) // what follows is 'close'
    from.on('close', () => {
      if (pair.client.destroyed && pair.server.destroyed) this.#pairs.delete(pair)
      inTurn(() => to.destroySoon())
    })
  }

  async #passage(dueAt: number): Promise<void> {
    const leftMs = dueAt - performance.now()
    if (leftMs > 0) await sleep(leftMs)
    while (this.#mode.is === 'stalled') await this.#mode.released
  }
}

type Mode =
  | { readonly is: 'cut' }
  | { readonly is: 'open'; readonly server: Server }
  | {
      readonly is: 'stalled'
      readonly server: Server
      readonly released: Promise<void>
      readonly release: () => void
    }

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Nothing passes from one to the other any longer, not even an end. */
  forgotten: boolean
  /** How the client began. */
  said: string
}

const REMEMBERED_BYTES = 8192

interface Relay {
  readonly from: Socket
  readonly to: Socket
  readonly delayMs: () => number
  readonly isLost: (chunk: Buffer) => boolean
  readonly delivered?: () => void
  readonly replaced?: (chunk: Buffer) => Buffer
}

/**
 * What asks a connection that listens for a sign of life, or looks whether triggers are on: now and then, whatever a test does.
 * It isn't counted.
 */
const isWatch = (chunk: Buffer, { said }: Pair): boolean => {
  const text = chunk.length < 4096 ? chunk.toString('latin1') : ''
  const isPing = /subscribe/i.test(said) && /^\*1\r\n\$4\r\nping\r\n$/i.test(text)
  return isPing || /stet\.trigger_off|^Q....select\0$/s.test(text)
}

const PING = Buffer.from('*1\r\n$4\r\nping\r\n')

function countOf(part: Buffer, whole: Buffer): number {
  let count = 0
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + part.length)) count++
  return count
}
