import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
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
  readonly #sockets = new Set<Socket>()
  #mode: Mode = { is: 'cut' }
  #delayMs = 0
  #roundTrips = 0
  #bytes = 0

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

  resetCounts(): void {
    this.#roundTrips = 0
    this.#bytes = 0
  }

  /** Adds this much to every round trip, keeping the order of bytes. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** As when the server has died: breaks every connection, refuses new ones. */
  async cut(): Promise<void> {
    if (this.#mode.is === 'cut') return
    const mode = this.#mode
    this.#mode = { is: 'cut' }
    if (mode.is === 'stalled') mode.release()
    const closed = once(mode.server, 'close')
    mode.server.close()
    for (const socket of this.#sockets) socket.destroy()
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

  /** Ends a cut or a stall, and any delay. What was held back by a stall is delivered. */
  async restore(): Promise<void> {
    this.#delayMs = 0
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

  #join(client: Socket): void {
    const server = connect(this.#target)
    let serverSpokeLast = true
    client.on('data', ({ length }) => {
      this.#bytes += length
      if (serverSpokeLast) this.#roundTrips++
      serverSpokeLast = false
    })
    this.#relay({ from: client, to: server, delayMs: () => 0 })
    this.#relay({
      from: server,
      to: client,
      delayMs: () => this.#delayMs,
      delivered: () => {
        serverSpokeLast = true
      },
    })
  }

  #relay({ from, to, delayMs, delivered }: Relay): void {
    this.#sockets.add(from)
    from.setNoDelay(true)
    let tail: Promise<unknown> = Promise.resolve()
    const inTurn = (step: () => unknown, dueAt = 0) => {
      tail = tail.then(() => this.#passage(dueAt)).then(step)
    }
    from.on('data', (chunk) => {
      const pass = () => {
        delivered?.()
        if (to.writable) to.write(chunk)
      }
      inTurn(pass, performance.now() + delayMs())
    })
    from.on('end', () => inTurn(() => to.end()))
    from.on('error', () => {}) // what follows is 'close'
    from.on('close', () => {
      this.#sockets.delete(from)
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

interface Relay {
  readonly from: Socket
  readonly to: Socket
  readonly delayMs: () => number
  readonly delivered?: () => void
}
