import { AsyncResource } from 'node:async_hooks'

/**
 * Runs `send` at the next `endTurn`, or when the event loop has read its sockets: what requests ask for until then travels together.
 * HAZARD: it runs in the asynchronous context of this call, so that a trace knows for whom a statement was sent.
 * @example atTurnEnd(() => void this.#flush())
 */
export function atTurnEnd(send: () => void): void {
  if (waiting.length === 0) setImmediate(sendAll)
  waiting.push(AsyncResource.bind(send))
}

/** Sends what waits, after what `process.nextTick` holds: the request that worked last may still be asking. */
export function endTurn(): void {
  process.nextTick(sendAll)
}

let waiting: (() => void)[] = []

function sendAll(): void {
  const all = waiting
  waiting = []
  for (const send of all) send()
}
