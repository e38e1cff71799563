import type { IncomingMessage } from 'node:http'

/**
 * Calls `done` with the whole body, or with undefined as soon as it is longer than `maxBytes`. Not at all where the client
 * goes away. What was read once is given again.
 */
export function readBody(request: Received, maxBytes: number, done: (body: Buffer | undefined) => void): void {
  const known = request[BODY]
  if (known) {
    done(known.bytes)
    return
  }
  const finish = (bytes: Buffer | undefined) => {
    request[BODY] = { bytes }
    done(bytes)
  }
  const chunks: Buffer[] = []
  let length = 0
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length <= maxBytes) chunks.push(chunk)
    else if (length - chunk.length <= maxBytes) finish(undefined)
  })
  request.on('end', () => {
    const [first] = chunks
    if (length <= maxBytes) finish(first && chunks.length === 1 ? first : Buffer.concat(chunks))
  })
  // What follows is 'close'.
  request.on('error', () => {})
}

/** What was read. Undefined: too much, or nothing was asked for. */
export const bodyOf = (request: Received): Buffer | undefined => request[BODY]?.bytes

/** A body is kept in its request, and goes with it. */
type Received = IncomingMessage & { [BODY]?: { readonly bytes: Buffer | undefined } }

const BODY = Symbol('body')
