import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { ByteBudget } from './byte-budget.ts'
import { inOrder, privateMembers, readBody, writeMessage } from './wire.ts'

/**
 * Tries Node's private members on a real server of this process, once: a body through `IncomingMessage.push`, answers on one
 * connection through `ServerResponse._send`, and their order by its event `socket`. If this Node does anything else with them, the public ways are used instead.
 * Resolves with whether they may be used; `mayUse: false` forbids them.
 */
export async function checkPrivateMembers({ mayUse = true } = {}): Promise<boolean> {
  Object.assign(privateMembers, { push: mayUse, send: mayUse, order: mayUse })
  const works = mayUse && (await exchangeWorks().catch(() => false))
  Object.assign(privateMembers, { push: works, send: works, order: works })
  return works
}

async function exchangeWorks(): Promise<boolean> {
  const answer: RequestListener = (request, response) =>
    readBody(request, response, { maxBytes: 16, budget: NO_BUDGET }, (body) => {
      try {
        const lines = `echo: ${body}\r\ncontent-length: 2\r\n`
        writeMessage(response, { status: 200, lines, rest: '\r\nok' })
      } catch {
        // Node calls this from its parser: an error would end the process.
        response.destroy()
      }
    })
  const server = createServer(inOrder(answer, () => {})).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')))
    const post = (connection: string, body: string) =>
      `POST / HTTP/1.1\r\nHost: check\r\nConnection: ${connection}\r\nContent-Length: 3\r\n\r\n${body}`
    socket.write(post('keep-alive', 'one') + post('keep-alive', 'two') + post('close', 'end'))
    const replies = (await text(socket)).split('HTTP/1.1 200 OK\r\n').slice(1)
    const isRight = (body: string, n: number) =>
      replies[n]?.includes(`echo: ${body}\r\n`) && replies[n].endsWith('\r\n\r\nok')
    return replies.length === 3 && ['one', 'two', 'end'].every(isRight)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const TIMEOUT_MS = 1000
/** So short a body needs none. */
const NO_BUDGET = new ByteBudget({ maxBytes: 0, maxBytesPerAddress: 0, addressOf: () => undefined })
