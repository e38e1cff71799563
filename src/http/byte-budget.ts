import type { IncomingMessage, ServerResponse } from 'node:http'

export interface ByteBudgetOptions {
  /** Of all requests together. */
  readonly maxBytes: number
  readonly maxBytesPerAddress: number
  /** Names the address whose requests are counted together. Undefined: they count only among all. */
  readonly addressOf: (request: IncomingMessage) => string | undefined
}

/**
 * Bounds the memory that something of requests takes, such as their bodies. What doesn't fit is refused: to wait for room would only
 * let slow clients keep others out.
 */
export class ByteBudget {
  readonly #options: ByteBudgetOptions
  readonly #byAddress = new Map<string, number>()
  #bytes = 0

  constructor(options: ByteBudgetOptions) {
    this.#options = options
  }

  /** The bytes that are taken now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Opens a share for a request. It closes by itself with the response or the connection, whichever comes first. */
  open(request: IncomingMessage, response: ServerResponse): ByteShare {
    const { socket } = request
    const address = this.#options.addressOf(request)
    let held = 0
    const close = () => {
      this.#add(address, -held)
      held = 0
      socket.off('close', close)
      response.off('close', close)
    }
    socket.once('close', close)
    response.once('close', close)
    return {
      hold: (bytes) => {
        if (!this.#hasRoom(address, bytes - held)) return false
        this.#add(address, bytes - held)
        held = bytes
        return true
      },
    }
  }

  #hasRoom(address: string | undefined, bytes: number): boolean {
    const { maxBytes, maxBytesPerAddress } = this.#options
    const ofAddress = address === undefined ? 0 : (this.#byAddress.get(address) ?? 0) + bytes
    return this.#bytes + bytes <= maxBytes && ofAddress <= maxBytesPerAddress
  }

  #add(address: string | undefined, bytes: number): void {
    this.#bytes += bytes
    if (address === undefined) return
    const ofAddress = (this.#byAddress.get(address) ?? 0) + bytes
    if (ofAddress > 0) this.#byAddress.set(address, ofAddress)
    else this.#byAddress.delete(address)
  }
}

/** What one request takes of a budget. */
export interface ByteShare {
  /** Takes so many bytes in all. False if there is no room for them: then it takes as many as before. */
  hold(bytes: number): boolean
}
