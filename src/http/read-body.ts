import type { IncomingMessage } from 'node:http'
import { privateMembers } from './private-members.ts'

/**
 * Calls `done` once: with the whole body, or with undefined as soon as it is longer than `maxBytes`. Never, if the client goes away.
 * `done` is called before this returns if the body has arrived already.
 */
export function readBody(request: IncomingMessage, maxBytes: number, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  /** @param chunk null at the end of the body */
  const take = (chunk: Buffer | null): boolean => {
    if (chunk) {
      length += chunk.length
      if (length <= maxBytes) chunks.push(chunk)
      else if (length - chunk.length <= maxBytes) done(undefined)
    } else if (length <= maxBytes) {
      const [first] = chunks
      done(first && chunks.length === 1 ? first : Buffer.concat(chunks))
    }
    return true
  }
  if (privateMembers.push) takePushed(request, take)
  else request.on('data', take).once('end', () => take(null))
}

/**
 * Takes each chunk as Node's parser pushes it. The stream would give it out some turns later: a twelfth of a hit
 * (`npm run bench -- peers --workloads hot`). That the parser calls `push` is not documented: see `private-members.ts`.
 */
function takePushed(request: IncomingMessage, take: (chunk: Buffer | null) => boolean): void {
  request.push = take
  // Gives what came already, and tells Node that the body is wanted: Node drops an unwanted one when the response ends.
  for (let chunk = request.read(); chunk; chunk = request.read()) take(chunk)
  if (request.complete) take(null)
}
