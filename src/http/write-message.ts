import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { ByteString } from '../answers/index.ts'
import { privateMembers } from './private-members.ts'
import { SAFE_LINES } from './safe-headers.ts'

/** A response as it goes out. HAZARD: nothing checks the lines. Text that a client or a row brings must be safe in them. */
export interface Message {
  readonly status: number
  /** Lines of the head, each with its end. */
  readonly lines: string
  /** More lines perhaps, the empty line, and the body if one is sent. */
  readonly rest: ByteString
}

/** How long an idle connection stays open, in milliseconds. Longer than load balancers keep theirs: one that closes first would break their next request. */
export const KEEP_ALIVE_MS = 72_000

/** Writes a whole response. */
export function writeMessage(response: ServerResponse, message: Message): void {
  response.statusCode = message.status
  // Node must know of a connection that ends with this response.
  if (privateMembers.send && response.shouldKeepAlive) writeInOnePiece(response, message)
  else writeByNode(response, message)
}

/**
 * Writes head and body as one piece, past `writeHead` and `end`, which check each header and send the two apart: a fifth of a hit
 * (`npm run bench -- peers --workloads hot`). Node takes the head as sent if `_headerSent` says so. See `private-members.ts`.
 */
function writeInOnePiece(response: ServerResponse, { status, lines, rest }: Message): void {
  const inside = response as unknown as { _header: string; _headerSent: boolean; _send(bytes: Buffer): void }
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${connectionLines()}${lines}`
  inside._header = head
  inside._headerSent = true
  const length = head.length + rest.length
  const whole = length <= ROOM_BYTES ? room : Buffer.allocUnsafeSlow(length)
  whole.latin1Write(head, 0)
  whole.latin1Write(rest, head.length)
  inside._send(whole.subarray(0, length))
  // HAZARD: the bytes haven't left yet, so the next message must not be written over them.
  if (response.writableLength > 0) room = Buffer.allocUnsafeSlow(ROOM_BYTES)
  response.end()
}

const ROOM_BYTES = 64 * 1024
/** Where a message is put together: the processor still holds it from the last one. */
let room = Buffer.allocUnsafeSlow(ROOM_BYTES)

function writeByNode(response: ServerResponse, { status, lines, rest }: Message): void {
  // If `rest` begins with the empty line, a body that holds another empty line must not be taken for lines.
  const linesEnd = rest.startsWith('\r\n') ? 0 : rest.indexOf('\r\n\r\n') + 2
  const headers = (SAFE_LINES + lines + rest.slice(0, linesEnd)).split('\r\n').filter((line) => line !== '')
  response.writeHead(
    status,
    headers.flatMap((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
  response.end(rest.slice(linesEnd + 2), 'latin1')
}

/** The lines that Node writes itself, and those of every answer. They are the same for a second. */
function connectionLines(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== written.second) {
    const date = new Date(second * 1000).toUTCString()
    const lines = `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n${SAFE_LINES}`
    written = { second, lines }
  }
  return written.lines
}

let written = { second: 0, lines: '' }

declare global {
  interface Buffer {
    /** `write` for one encoding, without looking up which. */
    latin1Write(text: string, offset: number): number
  }
}
