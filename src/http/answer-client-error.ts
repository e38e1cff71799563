import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { SAFE_LINES } from './safe-headers.ts'

/** Answers what Node's parser refuses or has waited for in vain, and ends the connection. Nothing else writes to a socket. */
export function answerClientError({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || socket.destroyed) return
  const { status, message } = FAULTS[code ?? ''] ?? { status: 400, message: 'The request is not valid HTTP.' }
  if (socket.writable && !isSending(socket)) {
    const body = JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
    const lines = `content-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\ncache-control: no-store\r\n${SAFE_LINES}`
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}connection: close\r\n\r\n${body}`)
  }
  socket.destroy()
}

const FAULTS: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request did not arrive in time.' },
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The head of the request is too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'The chunk extensions of the body are too large.' },
}

/** True if a part of another answer has been sent: what is written now would end up in it. */
function isSending(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  const { _httpMessage: sent } = socket
  return sent?.headersSent === true && !sent.writableEnded
}
