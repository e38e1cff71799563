import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawRequest {
  /** Sent as they are, whether they are valid HTTP or not. */
  readonly bytes: string | Buffer
  /** Answers to HEAD have no body, whatever their headers say. */
  readonly isHead?: boolean
}

export interface RawReply {
  /** The status line. */
  readonly start: string
  /** Lower-case names; the values of lines with the same name stand one below the other. */
  readonly headers: ReadonlyMap<string, string>
  /** A character a byte. Chunks are put together. */
  readonly body: string
}

/**
 * Sends requests on one connection, each as soon as the one before was answered, and returns the answers.
 * There are fewer answers than requests if the server closes the connection.
 *
 * @param isPipelined all requests are sent at once
 * @param timeoutMs how long the server may be silent before the connection is given up
 */
export async function exchange(
  url: string,
  requests: readonly RawRequest[],
  { isPipelined = false, timeoutMs = TIMEOUT_MS }: { readonly isPipelined?: boolean; readonly timeoutMs?: number } = {},
): Promise<RawReply[]> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {}) // the server may close it under us
  socket.setTimeout(timeoutMs, () => socket.destroy())
  socket.setEncoding('latin1')
  await once(socket, 'connect')
  const replies: RawReply[] = []
  let received = ''
  const sendNext = () => {
    const request = requests[replies.length]
    if (!request) socket.destroy()
    else if (!isPipelined) socket.write(request.bytes)
  }
  const takeReplies = (isEnd: boolean) => {
    for (;;) {
      const request = requests[replies.length]
      const taken = request && takeReply(received, request.isHead ?? false, isEnd)
      if (!taken) return
      received = taken.rest
      if (/ 1\d\d /.test(taken.reply.start)) continue
      replies.push(taken.reply)
      sendNext()
    }
  }
  socket.on('data', (text: string) => {
    received += text
    takeReplies(false)
  })
  socket.on('end', () => takeReplies(true))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  if (isPipelined) socket.write(Buffer.concat(requests.map(({ bytes }) => Buffer.from(bytes))))
  sendNext()
  await closed
  return replies
}

/** More than any answer takes. */
const TIMEOUT_MS = 20_000

/** The first of the replies in `received`, and what follows it. Undefined if some of it is still missing. */
function takeReply(
  received: string,
  isHead: boolean,
  isEnd: boolean,
): { readonly reply: RawReply; readonly rest: string } | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [start = '', ...lines] = received.slice(0, headEnd).split('\r\n')
  const headers = readHeaders(lines)
  const after = received.slice(headEnd + 4)
  if (isHead || / (1\d\d|204|304) /.test(start)) return { reply: { start, headers, body: '' }, rest: after }
  if (headers.get('transfer-encoding') === 'chunked') {
    const chunks = takeChunks(after)
    return chunks && { reply: { start, headers, body: chunks.body }, rest: chunks.rest }
  }
  const length = headers.has('content-length') ? Number(headers.get('content-length')) : undefined
  if (length === undefined) return isEnd ? { reply: { start, headers, body: after }, rest: '' } : undefined
  if (after.length < length) return undefined
  return { reply: { start, headers, body: after.slice(0, length) }, rest: after.slice(length) }
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  return headers
}

function takeChunks(text: string): { readonly body: string; readonly rest: string } | undefined {
  let body = ''
  let at = 0
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (text.length < end + 2) return undefined
    body += text.slice(lineEnd + 2, end)
    at = end + 2
    if (size === 0) return { body, rest: text.slice(at) }
  }
}
