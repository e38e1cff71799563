import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ByteBudget } from './byte-budget.ts'

interface BoundUnreadOptions {
  readonly budget: ByteBudget
  /** For how long a client may read nothing of its answer, in milliseconds. */
  readonly maxMs: number
  readonly onRefused: () => void
}

/** Makes what bounds answers that their clients don't read: in bytes, because they are in memory, and in time. Beyond that the connection is closed. */
export function boundUnread({ budget, maxMs, onRefused }: BoundUnreadOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (budget.open(request, response).hold(response.writableLength)) {
      // Node sets another time-out once the response has left.
      response.socket?.setTimeout(maxMs)
    } else {
      onRefused()
      response.destroy()
    }
  }
}
