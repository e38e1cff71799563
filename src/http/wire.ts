import { type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ByteBudget, ByteShare } from './byte-budget.ts'
import { isFramed } from './request-head.ts'
import { SAFE_LINES } from './safe-headers.ts'
import { type Message, writeByNode } from './write-by-node.ts'

/**
 * Which members of Node's HTTP classes may be used that aren't public. None, until `checkPrivateMembers` has tried them in this process.
 * This file alone uses them, for what goes over a connection: requests in order, their bodies, and messages. The public way stands
 * beside each, and that of messages in `write-by-node.ts`.
 */
export const privateMembers = { push: false, send: false, order: false }

type Listener = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Has a request handled when all that was sent before on its connection has left. A client may send many requests at once
 * (pipelining, RFC 9112, section 9.3.2) and read none of the answers: otherwise Node would hold all of them.
 *
 * @param onTooMany called when a connection is closed because too many requests wait on it
 */
export function inOrder(handle: Listener, onTooMany: () => void): RequestListener {
  const take: Listener = (request, response) => {
    if (isNext(response) || !privateMembers.order) return handle(request, response)
    const { socket } = request
    const count = waiting.get(socket) ?? 0
    if (socket.destroyed) return
    if (count >= MAX_PIPELINED) {
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
  return (request, response) => {
    noteResponse(request, response)
    if (isFramed(request.headers)) take(request, response)
    // Node's parser refuses most of these next. A hit would be answered before that.
    else setImmediate(() => void (request.socket.destroyed || take(request, response)))
  }
}

const isNext = ({ socket }: ServerResponse): boolean => socket !== null && !socket.writableNeedDrain

function whenNext(response: ServerResponse, go: () => void): void {
  const { socket } = response
  // Node emits `socket` when the response before this one is done. That is not documented: see `privateMembers`. One answer in each turn
  // of the event loop: a hundred of them would keep others waiting.
  if (!socket) response.once('socket', () => setImmediate(whenNext, response, go))
  else if (socket.destroyed) return
  else if (socket.writableNeedDrain) socket.once('drain', () => whenNext(response, go))
  else go()
}

/** Notes a request, for `whatIsOwed`. */
export function noteResponse({ socket }: IncomingMessage, response: ServerResponse): void {
  const before = last.get(socket)
  if (before && !before.writableFinished) {
    // Only the last two are looked at. Otherwise each would keep all before it in memory.
    earlier.delete(before)
    earlier.set(response, before)
  }
  last.set(socket, response)
  response.on('close', forget)
}

/** An idle connection holds nothing of the last request. */
function forget(this: ServerResponse): void {
  if (this.req.complete && last.get(this.req.socket) === this) last.delete(this.req.socket)
}

/**
 * What a connection owes when Node's parser finds a fault in what comes over it. HAZARD: the client, or a proxy, takes what is written
 * for the answer to the first request that has none. `before` is the last of the answers that must leave first.
 * `isAnswered`: what is faulty is the body of a request that was answered without it.
 */
export function whatIsOwed(socket: Socket): { before: ServerResponse | undefined; isAnswered: boolean } {
  const response = last.get(socket)
  const isOfNext = response === undefined || response.req.complete
  const before = isOfNext ? response : earlier.get(response)
  return { before: before?.writableFinished ? undefined : before, isAnswered: !isOfNext && response.headersSent }
}

/** The response to the request that came last on each connection. */
const last = new WeakMap<Socket, ServerResponse>()
/** The response before one, if that was still owed when its request came. */
const earlier = new WeakMap<ServerResponse, ServerResponse>()

/** How many requests wait on a connection. */
const waiting = new WeakMap<Socket, number>()

/** Each takes some kilobytes, and a client sends it in 34 bytes. */
const MAX_PIPELINED = 100

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
 * (`npm run bench -- peers --workloads hot`). That the parser calls `push` is not documented: see `privateMembers`.
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
    const bytes = this.#bytes
    // The request of an idle connection may be held.
    this.#bytes = undefined
    this.#done(bytes?.subarray(0, this.#length) ?? NO_BYTES)
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

/** How long an idle connection stays open, in milliseconds. Longer than load balancers keep theirs: one that closes first would break their next request. */
export const KEEP_ALIVE_MS = 72_000

/** Writes a whole response. */
export function writeMessage(response: ServerResponse, message: Message): void {
  response.statusCode = message.status
  // Node must know of a connection that ends with this response.
  if (privateMembers.send && response.shouldKeepAlive) writeInOnePiece(response, message)
  else writeByNode(response, message)
}

/**
 * Writes head and body as one piece, past `writeHead` and `end`, which check each header and send the two apart: a fifth of a hit
 * (`npm run bench -- peers --workloads hot`). Node takes the head as sent if `_headerSent` says so. See `privateMembers`.
 */
function writeInOnePiece(response: ServerResponse, { status, lines, rest }: Message): void {
  const inside = response as unknown as { _header: string; _headerSent: boolean; _send(bytes: Buffer): void }
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${connectionLines()}${lines}`
  inside._header = head
  inside._headerSent = true
  const length = head.length + rest.length
  const whole = length <= ROOM_BYTES ? room : Buffer.allocUnsafeSlow(length)
  whole.latin1Write(head, 0)
  whole.latin1Write(rest, head.length)
  inside._send(whole.subarray(0, length))
  // HAZARD: the bytes haven't left yet, so the next message must not be written over them.
  if (response.writableLength > 0) room = Buffer.allocUnsafeSlow(ROOM_BYTES)
  response.end()
}

const ROOM_BYTES = 64 * 1024
/** Where a message is put together: the processor still holds it from the last one. */
let room = Buffer.allocUnsafeSlow(ROOM_BYTES)

/** The lines that Node writes itself, and those of every answer. They are the same for a second. */
function connectionLines(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== written.second) {
    const date = new Date(second * 1000).toUTCString()
    const lines = `Date: ${date}\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n${SAFE_LINES}`
    written = { second, lines }
  }
  return written.lines
}

let written = { second: 0, lines: '' }

declare global {
  interface Buffer {
    /** `write` for one encoding, without looking up which. */
    latin1Write(text: string, offset: number): number
  }
}
