import type { ServerResponse } from 'node:http'

export interface SentAnswer {
  readonly status: 200 | 304
  /** Its lines, each with its end. HAZARD: nobody checks them; whatever a client or a row brings must be safe in there. */
  readonly head: string
  /** Undefined where the head alone is sent. */
  readonly body: Buffer | undefined
}

/**
 * Sends an answer under a head that is written already. `writeHead` takes the names and values apart from one another, checks
 * each, and writes its own head of them: a tenth of the time that a hit takes, all in all. So the head is put where that would
 * put it. Node sends what stands in `_header`, as it has since its first versions: should that ever change, every test that asks for
 * an answer fails.
 *
 * What a connection is told that ends with the answer, Node must know of, and gets the parts.
 */
export function sendAnswer(response: ServerResponse & { _header?: string }, { status, head, body }: SentAnswer): void {
  response.statusCode = status
  if (response.shouldKeepAlive) {
    response._header = `HTTP/1.1 ${STATUS_LINES[status]}\r\n${head}${connectionLines()}\r\n`
  } else {
    const lines = head.trimEnd().split('\r\n')
    response.writeHead(
      status,
      lines.flatMap((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)]
      }),
    )
  }
  response.end(body)
}

const STATUS_LINES = { 200: '200 OK', 304: '304 Not Modified' } as const

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
