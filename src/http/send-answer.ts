import type { ServerResponse } from 'node:http'

/** An answer as it is sent. HAZARD: nobody checks the lines; whatever a client or a row brings must be safe in there. */
export interface WrittenAnswer {
  readonly status: 200 | 304
  /** Lines of its head, each with its end. */
  readonly lines: string
  /** More of them, an empty line, and the body where one is sent. */
  readonly rest: Buffer
}

/**
 * Sends an answer that is written already. `writeHead` would take names and values apart from one another, check each, and write a
 * head of its own; and `end` would hand head and body to the socket apart. For a hit that is much of what there is to do. So both are
 * put together where the last answer was, which the processor still has at hand, and go out as one. Node takes the head for sent where
 * `_headerSent` says so, and sends with `_send`, as it has since its first versions: should that ever change, every test that asks for an
 * answer fails.
 *
 * What a connection is told that ends with the answer, Node must know of, and gets the lines.
 */
export function sendAnswer(response: ServerResponse, { status, lines, rest }: WrittenAnswer): void {
  response.statusCode = status
  if (!response.shouldKeepAlive) {
    sendLast(response, { status, lines, rest })
    return
  }
  const inside = response as unknown as Inside
  const head = `HTTP/1.1 ${STATUS_LINES[status]}\r\n${connectionLines()}${lines}`
  inside._header = head
  inside._headerSent = true
  const length = head.length + rest.length
  const whole = length <= ROOM_BYTES ? room : Buffer.allocUnsafeSlow(length)
  whole.latin1Write(head, 0)
  rest.copy(whole, head.length)
  inside._send(whole.subarray(0, length))
  // Not gone yet: the next one must not be put over it.
  if (response.writableLength > 0) room = Buffer.allocUnsafeSlow(ROOM_BYTES)
  response.end()
}

const STATUS_LINES = { 200: '200 OK', 304: '304 Not Modified' } as const

const ROOM_BYTES = 64 * 1024
let room = Buffer.allocUnsafeSlow(ROOM_BYTES)

/** What a response has that isn't public. */
interface Inside {
  _header: string
  _headerSent: boolean
  _send(bytes: Buffer): void
}

declare global {
  interface Buffer {
    /** As `write` does for 'latin1', without looking what that is. */
    latin1Write(text: string, offset: number): number
  }
}

function sendLast(response: ServerResponse, { status, lines, rest }: WrittenAnswer): void {
  // Where no lines come before the empty one, a body that holds another must not be taken for them.
  const linesEnd = rest.indexOf('\r\n') === 0 ? 0 : rest.indexOf('\r\n\r\n') + 2
  const pairs = (lines + rest.toString('latin1', 0, linesEnd)).trimEnd().split('\r\n')
  response.writeHead(
    status,
    pairs.flatMap((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
  response.end(rest.subarray(linesEnd + 2))
}

/** For how long an idle connection stays open, in milliseconds. Longer than load balancers keep one: else it would be closed while it is used once more. */
export const KEEP_ALIVE_MS = 72_000

/** As Node writes them. The date is that of the second. */
function connectionLines(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== written.second) {
    const date = new Date(second * 1000).toUTCString()
    const lines = `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n`
    written = { second, lines }
  }
  return written.lines
}

let written = { second: 0, lines: '' }
