import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { StatementTexts } from '../../harness/index.ts'

/** A TCP proxy that reads along, and does something exactly when a certain message passes. */
export async function startTripwire(target: Target): Promise<Tripwire> {
  const wire = new Tripwire(target)
  await wire.listen()
  return wire
}

/** When a message trips: nothing of it has passed, the server has replied and nobody hears of it, or the reply has passed. */
export type Moment = 'before it is sent' | 'before its answer' | 'after its answer'

export interface Trap {
  /** Found in the bytes of the message. */
  readonly message: RegExp
  /** Nothing trips until this has passed. */
  readonly after?: RegExp | undefined
  readonly moment: Moment
  /** Called once, at that moment. Nothing else passes the connection from then on. */
  readonly spring: () => void
}

interface Target {
  readonly host: string
  readonly port: number
}

export class Tripwire {
  readonly #target: Target
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #statements = new StatementTexts()
  #trap: Trap | undefined
  #isArmed = false

  constructor(target: Target) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** The same URL, but leading along the wire. */
  through(url: string): string {
    const detour = new URL(url)
    detour.hostname = '127.0.0.1'
    detour.port = String((this.#server.address() as AddressInfo).port)
    return detour.href
  }

  set(trap: Trap | undefined): void {
    this.#trap = trap
    this.#isArmed = trap?.after === undefined
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #catches(asked: string): Trap | undefined {
    if (this.#isArmed) return this.#trap?.message.test(asked) ? this.#trap : undefined
    this.#isArmed = this.#trap?.after?.test(asked) ?? false
    return undefined
  }

  #join(client: Socket): void {
    const server = connect(this.#target)
    let caught: Trap | undefined
    let isSprung = false
    const spring = ({ spring }: Trap) => {
      isSprung = true
      // Another connection may have had the same message at the same time, or it is too late.
      if (this.#trap !== caught) return
      this.#trap = undefined
      spring()
    }
    client.on('data', (bytes) => {
      if (isSprung) return
      if (!caught) caught = this.#catches(this.#statements.spellOut(bytes))
      if (caught?.moment === 'before it is sent') return spring(caught)
      if (server.writable) server.write(bytes)
    })
    server.on('data', (bytes) => {
      if (isSprung) return
      if (caught?.moment === 'before its answer') return spring(caught)
      if (client.writable) client.write(bytes)
      if (caught) spring(caught)
    })
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {}) // what follows is 'close'
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }
}
