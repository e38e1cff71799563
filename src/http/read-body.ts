import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ByteBudget, ByteShare } from './byte-budget.ts'
import { privateMembers } from './private-members.ts'

export interface ReadBodyOptions {
  /** Of one body. */
  readonly maxBytes: number
  readonly budget: ByteBudget
}

/** Why a body was not read to its end. */
export type BodyFault = 'too-large' | 'no-room'

/**
 * Calls `done` once: with the whole body, or with why not as soon as that is known. Never, if the client goes away.
 * `done` is called before this returns if the body has arrived already.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  options: ReadBodyOptions,
  done: (body: Buffer | BodyFault) => void,
): void {
  const reading = new Reading(request, response, options, done)
  if (isTooLong(request, options.maxBytes)) reading.fail('too-large')
  if (privateMembers.push) takePushed(request, (chunk) => reading.take(chunk))
  else request.on('data', (chunk) => reading.take(chunk)).once('end', () => reading.take(null))
}

/** True if the request says that its body is longer than this. */
export const isTooLong = ({ headers }: IncomingMessage, maxBytes: number): boolean =>
  Number(headers['content-length'] ?? 0) > maxBytes

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

/** The body of one request as far as it has arrived. */
class Reading {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #options: ReadBodyOptions
  readonly #done: (body: Buffer | BodyFault) => void
  #share: ByteShare | undefined
  #bytes: Buffer | undefined
  #length = 0
  #chunks = 0
  #isOver = false

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: ReadBodyOptions,
    done: (body: Buffer | BodyFault) => void,
  ) {
    this.#request = request
    this.#response = response
    this.#options = options
    this.#done = done
  }

  fail(fault: BodyFault): void {
    this.#isOver = true
    this.#bytes = undefined
    this.#done(fault)
  }

  /** @param chunk null at the end of the body */
  take(chunk: Buffer | null): boolean {
    if (!chunk) this.#end()
    else {
      this.#length += chunk.length
      this.#chunks++
      if (this.#isOver) this.#drop()
      else if (this.#isTooMuch()) this.fail('too-large')
      else if (!this.#append(chunk)) this.fail('no-room')
    }
    return true
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#done(this.#bytes?.subarray(0, this.#length) ?? NO_BYTES)
  }

  /** Each chunk costs some work, however short it is. */
  #isTooMuch(): boolean {
    const { maxBytes } = this.#options
    return this.#length > maxBytes || this.#chunks > MAX_SHORT_CHUNKS + maxBytes / SHORT_CHUNK_BYTES
  }

  /** Adds a chunk to the bytes. False if there is no room. Chunks aren't collected: a short one takes some 100 bytes more than it holds. */
  #append(chunk: Buffer): boolean {
    const before = this.#length - chunk.length
    const bytes = this.#bytes
    // Most bodies are one chunk.
    if (!bytes) {
      this.#bytes = chunk
      return this.#hold(chunk.length)
    }
    if (this.#length <= bytes.length) {
      chunk.copy(bytes, before)
      return true
    }
    const capacity = Math.max(this.#length, Math.min(2 * this.#length, this.#options.maxBytes))
    if (!this.#hold(capacity)) return false
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
    bytes.copy(this.#bytes, 0, 0, before)
    chunk.copy(this.#bytes, before)
    return true
  }

  /** Short bodies need no room of the budget: there are no more of them than connections. */
  #hold(bytes: number): boolean {
    if (bytes <= SHORT_BODY_BYTES) return true
    this.#share ??= this.#options.budget.open(this.#request, this.#response)
    return this.#share.hold(bytes)
  }

  /** Reads on after a refusal, so that the client reads why. A client that sends on and on isn't heard any more. */
  #drop(): void {
    const { maxBytes } = this.#options
    if (this.#length > 2 * maxBytes || this.#chunks > 2 * (MAX_SHORT_CHUNKS + maxBytes / SHORT_CHUNK_BYTES)) {
      this.#request.destroy()
    }
  }
}

const SHORT_BODY_BYTES = 4096
const SHORT_CHUNK_BYTES = 64
const MAX_SHORT_CHUNKS = 1024
const NO_BYTES = Buffer.alloc(0)
