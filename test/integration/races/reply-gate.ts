import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { StatementTexts } from '../../harness/index.ts'

/**
 * A TCP proxy that reads along, and can hold or lose single replies of the server: what was asked has been done by
 * then, and whoever asked doesn't know.
 */
export async function startReplyGate(serverUrl: string): Promise<ReplyGate> {
  const gate = new ReplyGate(serverUrl)
  await gate.listen()
  return gate
}

export interface HeldReply {
  /** Resolves once the server has replied: whatever it was asked to read or write, it has. */
  readonly arrived: Promise<void>
  release(): void
}

export class ReplyGate {
  readonly #target: { readonly host: string; readonly port: number }
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #holds: Hold[] = []
  readonly #statements = new StatementTexts()
  #loses: (reply: string) => boolean = () => false

  constructor(serverUrl: string) {
    const { hostname, port } = new URL(serverUrl)
    this.#target = { host: hostname, port: Number(port) }
    this.#server = createServer((client) => this.#join(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** The same URL, but leading through the gate. */
  through(url: string): string {
    const detour = new URL(url)
    detour.hostname = '127.0.0.1'
    detour.port = String((this.#server.address() as AddressInfo).port)
    return detour.href
  }

  /** Holds the reply to the next request in whose bytes `asked` is found. */
  hold(asked: RegExp): HeldReply {
    const arrival = signal()
    const passage = signal()
    this.#holds.push({ asked, arrival, passage })
    return { arrived: arrival.given, release: passage.give }
  }

  /** From now on what the server says is lost where `which` says so, the connection staying as it is. */
  lose(which: (reply: string) => boolean): void {
    this.#loses = which
  }

  /** Breaks every connection, and with it what is held. Others may be made. */
  drop(): void {
    for (const { passage } of this.#holds.splice(0)) passage.give()
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.drop()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket): void {
    const server = connect(this.#target)
    let asked = ''
    let answered = true
    let delivered = Promise.resolve()
    client.on('data', (bytes) => {
      const text = this.#statements.spellOut(bytes)
      asked = answered ? text : asked + text
      answered = false
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      answered = true
      if (this.#loses(bytes.toString('latin1'))) return
      const hold = this.#takeHold(asked)
      hold?.arrival.give()
      delivered = delivered.then(async () => {
        await hold?.passage.given
        if (client.writable) client.write(bytes)
      })
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

  #takeHold(asked: string): Hold | undefined {
    const index = this.#holds.findIndex((hold) => hold.asked.test(asked))
    return index < 0 ? undefined : this.#holds.splice(index, 1)[0]
  }
}

/** PostgreSQL's NotificationResponse on our channel. */
export const isNotification = (reply: string): boolean => reply.startsWith('A') && reply.includes('stet')

interface Hold {
  readonly asked: RegExp
  readonly arrival: Signal
  readonly passage: Signal
}

interface Signal {
  readonly given: Promise<void>
  give(): void
}

function signal(): Signal {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}
