import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { SAFE_LINES } from './safe-headers.ts'
import { whatIsOwed } from './wire.ts'

/** Answers what Node's parser refuses or has waited for in vain, and ends the connection. Nothing else writes to a socket. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const { before, isAnswered } = whatIsOwed(socket)
  if (before) {
    // The parser finds the same fault in whatever else comes.
    if (waiting.has(socket)) return
    waiting.add(socket)
    before.once('close', () => {
      waiting.delete(socket)
      answerClientError(error, socket)
    })
    return
  }
  const { status, message } = FAULTS[error.code ?? ''] ?? { status: 400, message: 'The request is not valid HTTP.' }
  if (socket.writable && !isAnswered) {
    const body = JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
    const lines = `content-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\ncache-control: no-store\r\n${SAFE_LINES}`
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}connection: close\r\n\r\n${body}`)
  }
  socket.destroy()
}

/** Whose fault is answered when the answers before it have left. */
const waiting = new WeakSet<Socket>()

const FAULTS: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request did not arrive in time.' },
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The head of the request is too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'The chunk extensions of the body are too large.' },
}
