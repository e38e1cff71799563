/**
 * Runs `send` once the requests that may work in this turn of the event loop have done what they can: what they ask for meanwhile
 * travels together. At the latest when the loop has read its sockets.
 * @example atTurnEnd(() => void this.#flush())
 */
export function atTurnEnd(send: () => void): void {
  if (waiting.length === 0) setImmediate(sendAll)
  waiting.push(send)
}

/** No other request may work in this turn. After what `process.nextTick` holds: the last one may still be asking. */
export function endTurn(): void {
  process.nextTick(sendAll)
}

let waiting: (() => void)[] = []

function sendAll(): void {
  const all = waiting
  waiting = []
  for (const send of all) send()
}
