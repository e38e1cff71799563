import { type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { SAFE_LINES } from './safe-headers.ts'

/** Notes the requests of a server, so that `answerClientError` can tell whether one was answered. */
export function noteRequests(server: Server): void {
  server.on('request', (request, response) => last.set(request.socket, response))
}

/** The response to the request that came last on each connection. */
const last = new WeakMap<Socket, ServerResponse>()

/**
 * Leaves out the requests of which nobody can tell where they end: Node's parser refuses them next (RFC 9112, section 6.3). A hit would be
 * answered before that.
 */
export const ifFramed =
  (handle: RequestListener): RequestListener =>
  (request, response) => {
    const encoding = request.headers['transfer-encoding']
    if (encoding === undefined || /(?:^|,)[ \t]*chunked[ \t]*$/i.test(encoding)) handle(request, response)
  }

/** Answers what Node's parser refuses or has waited for in vain, and ends the connection. Nothing else writes to a socket. */
export function answerClientError({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (code === 'ECONNRESET' || socket.destroyed) return
  const { status, message } = FAULTS[code ?? ''] ?? { status: 400, message: 'The request is not valid HTTP.' }
  if (socket.writable && isTurnOfFaulty(last.get(socket))) {
    const body = JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] })
    const lines = `content-type: application/json; charset=utf-8\r\ncontent-length: ${body.length}\r\ncache-control: no-store\r\n${SAFE_LINES}`
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}connection: close\r\n\r\n${body}`)
  }
  socket.destroy()
}

/**
 * HAZARD: the client, or a proxy, takes what is written for the answer to the first request that has none. So nothing may be written
 * while an earlier request waits for its answer, or a part of one is sent, or if the body is faulty of a request that was answered
 * without it.
 */
function isTurnOfFaulty(response: ServerResponse | undefined): boolean {
  if (!response) return true
  const isOfNext = response.req.complete
  return isOfNext ? response.writableEnded : response.socket !== null && !response.headersSent
}

const FAULTS: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request did not arrive in time.' },
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The head of the request is too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'The chunk extensions of the body are too large.' },
}
