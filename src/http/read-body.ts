import type { IncomingMessage } from 'node:http'

/**
 * Calls `done` with the whole body, or with undefined as soon as it is longer than `maxBytes`. Not at all where the client
 * goes away. What was read once is given again.
 *
 * Node's parser hands what arrives to `request.push`, which would put it into a stream, and that gives it out again some
 * turns later: a twelfth of the time that a hit takes. Here it is taken as it comes. Should another Node hand it over
 * in another way, every test that sends a body fails.
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
  /** @param chunk null at the end */
  const take = (chunk: Buffer | null): boolean => {
    if (chunk) {
      length += chunk.length
      if (length <= maxBytes) chunks.push(chunk)
      else if (length - chunk.length <= maxBytes) finish(undefined)
    } else if (length <= maxBytes) {
      const [first] = chunks
      finish(first && chunks.length === 1 ? first : Buffer.concat(chunks))
    }
    return true
  }
  request.push = take
  // What came before anybody asked for it. It also tells Node that the body is wanted, which else is thrown away in the end.
  for (let chunk = request.read(); chunk; chunk = request.read()) take(chunk)
  if (request.complete) take(null)
}

/** What was read. Undefined: too much, or nothing was asked for. */
export const bodyOf = (request: Received): Buffer | undefined => request[BODY]?.bytes

/** Without the mark that some begin it with. */
export const textOf = (body: Buffer): string => UTF_8.decode(body)

const UTF_8 = new TextDecoder()

/** A body is kept in its request, and goes with it. */
type Received = IncomingMessage & { [BODY]?: { readonly bytes: Buffer | undefined } }

const BODY = Symbol('body')
