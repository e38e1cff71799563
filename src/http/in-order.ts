import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { privateMembers } from './private-members.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Has a request handled when all that was sent before on its connection has left. A client may send many requests at once
 * (pipelining, RFC 9112, section 9.3.2) and read none of the answers: otherwise Node would hold all of them.
 *
 * @param onTooMany called when a connection is closed because too many requests wait on it
 */
export function inOrder(handle: Listener, onTooMany: () => void): RequestListener {
  return (request, response) => {
    if (isNext(response) || !privateMembers.order) return handle(request, response)
    const { socket } = request
    const count = waiting.get(socket) ?? 0
    if (socket.destroyed) return
    if (count >= MAX_WAITING) {
      onTooMany()
      socket.destroy()
      return
    }
    waiting.set(socket, count + 1)
    whenNext(response, () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1)
      handle(request, response)
    })
  }
}

const isNext = ({ socket }: ServerResponse): boolean => socket !== null && !socket.writableNeedDrain

function whenNext(response: ServerResponse, go: () => void): void {
  const { socket } = response
  // Node emits `socket` when the response before this one is done. That is not documented: see `private-members.ts`.
  if (!socket) response.once('socket', () => process.nextTick(whenNext, response, go))
  else if (socket.writableNeedDrain) socket.once('drain', () => whenNext(response, go))
  else go()
}

/** How many requests wait on a connection. */
const waiting = new WeakMap<Socket, number>()

/** Each takes some kilobytes, and a client sends it in 34 bytes. */
const MAX_WAITING = 100
