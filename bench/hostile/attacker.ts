import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { ATTACKS, type Attack } from './attacks.ts'

/** What `hostile.ts` tells this thread. */
export interface AttackOrder {
  readonly name: string
  readonly url: string
  /** Undefined: a visitor. */
  readonly bearer: string | undefined
  readonly forMs: number
}

/** Attacks from an address of its own until the time is over, then posts how many answers came, by what they said. */
const { name, url, bearer, forMs } = workerData as AttackOrder
const attack = ATTACKS.find((it) => it.name === name)
if (!attack) throw new Error(`There is no attack ${name}.`)
const { hostname, port } = new URL(url)
const ADDRESS = '127.0.0.2'
const endsAt = performance.now() + forMs
const answered: Record<string, number> = {}
const count = (what: string) => {
  answered[what] = (answered[what] ?? 0) + 1
}
let next = 0
/** What all connections send that hold on to the server. */
let heldBytes: Buffer | undefined

await Promise.race([
  Promise.all(
    Array.from({ length: attack.connections }, () => (attack.kind === 'ordinary' ? ask(attack) : hold(attack))),
  ),
  new Promise((resolve) => setTimeout(resolve, forMs)),
])
parentPort?.postMessage(answered)
process.exit(0)

async function ask(attack: Attack): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: ADDRESS })
  while (performance.now() < endsAt) {
    const body = attack.body(next++)
    await new Promise<void>((resolve) => {
      const sent = request(
        `${url}/graphql`,
        { method: 'POST', agent, headers: headersOf(attack, body) },
        (response) => {
          let start = ''
          response.on('data', (chunk: Buffer) => {
            if (start.length < 2000) start += chunk.toString('latin1')
          })
          response.on('close', () => {
            count(/"code":"(\w+)"/.exec(start)?.[1] ?? String(response.statusCode))
            resolve()
          })
        },
      )
      sent.on('error', () => {
        count('cut off')
        setTimeout(resolve, 10)
      })
      sent.end(body)
    })
  }
}

/** Opens a connection and sends what keeps the server waiting, again and again. */
async function hold(attack: Attack): Promise<void> {
  heldBytes ??= bytesOf(attack)
  const bytes = heldBytes
  while (performance.now() < endsAt) {
    const socket = connect({ host: hostname, port: Number(port), localAddress: ADDRESS })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    if (attack.kind === 'withheld') {
      socket.write(bytes.subarray(0, -1))
      socket.once('data', () => count('answered at once'))
    } else {
      socket.pause()
      pour(socket, Buffer.concat(Array(50).fill(bytes)))
    }
    await closed
    count('closed by the server')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function pour(socket: Socket, bytes: Buffer): void {
  while (!socket.destroyed && socket.write(bytes));
  socket.once('drain', () => pour(socket, bytes))
}

function bytesOf(attack: Attack): Buffer {
  const body = attack.body(next++)
  const lines = Object.entries(headersOf(attack, body)).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from(`POST /graphql HTTP/1.1\r\nhost: test\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

function headersOf({ headers }: Attack, body: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    ...headers,
  }
}
