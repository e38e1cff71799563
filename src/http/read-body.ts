import type { IncomingMessage } from 'node:http'

/** Calls `done` with the whole body, or with undefined as soon as it is longer than `maxBytes`. Not at all where the client goes away. */
export function readBody(request: IncomingMessage, maxBytes: number, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
    else if (bytes - chunk.length <= maxBytes) done(undefined)
  })
  request.on('end', () => {
    const [first] = chunks
    if (bytes <= maxBytes) done(first && chunks.length === 1 ? first : Buffer.concat(chunks))
  })
  // What follows is 'close'.
  request.on('error', () => {})
}
