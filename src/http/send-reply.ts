import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  chooseEncoding,
  type EncodedAnswers,
  type EncodedBody,
  entityTag,
  type Form,
  type MediaType,
  represent,
  representUnchanged,
  type WrittenAnswer,
} from '../answers/index.ts'
import type { CacheWord } from '../graphql/resolving/index.ts'
import { isHeld } from './request-head.ts'
import { writeMessage } from './write-message.ts'

/** What a request is answered with. */
export interface Reply {
  readonly status: number
  readonly mediaType: MediaType
  readonly answer: WrittenAnswer
  /** The `Stet-As-Of` of the answer. */
  readonly asOf: string
  /** What the cache did for it. Undefined: the request was refused before anything was read. */
  readonly cache: { readonly word: CacheWord; readonly status: string } | undefined
  /** When shared caches may keep the answer. Undefined: they may not. */
  readonly lifetime: { readonly storedAtMs: number; readonly staleAtMs: number } | undefined
  /** The methods that would do, in a 405. */
  readonly allow?: string | undefined
}

export interface Sending {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly encoded: EncodedAnswers
  /** The connection ends with this response. */
  readonly isLast: boolean
}

/** Sends a reply: its bytes, compressed if the client takes that, or a 304. Nothing else writes a head for `/graphql`. */
export function sendReply(reply: Reply, sending: Sending): void {
  const choice = chooseEncoding(sending.request.headers['accept-encoding'] as string | undefined)
  const encoded = sending.encoded.body(reply.answer, choice)
  if (encoded instanceof Promise) void encoded.then((late) => write(reply, late, sending))
  else write(reply, encoded, sending)
}

function write(
  reply: Reply,
  encoded: EncodedBody | undefined,
  { request, response, requestId, isLast }: Sending,
): void {
  const { answer, mediaType, lifetime } = reply
  const { method, headers } = request
  const form: Form = { mediaType, encoded, isPublic: lifetime !== undefined }
  if (isLast) response.shouldKeepAlive = false
  const head = headLines(reply, requestId)
  const ifNoneMatch = method === 'POST' || answer.etag === '' ? undefined : headers['if-none-match']
  if (ifNoneMatch !== undefined && isHeld(ifNoneMatch, entityTag(answer, form))) {
    const { lines, rest } = representUnchanged(answer, form)
    writeMessage(response, { status: 304, lines: head + lines, rest })
  } else {
    const { lines, rest } = represent(answer, form, { withBody: method !== 'HEAD' })
    writeMessage(response, { status: reply.status, lines: head + lines, rest })
  }
}

/** The lines of a head that differ from request to request. The others are the answer's own: see `represent`. */
function headLines({ status, cache, asOf, lifetime, allow }: Reply, requestId: string): string {
  let lines = `stet-as-of: ${asOf}\r\nx-request-id: ${requestId}\r\n`
  if (cache) lines += `cache-status: stet; ${cache.status}\r\nx-cache: ${cache.word}\r\n`
  lines += lifetime ? sharedLines(lifetime) : 'cache-control: private, no-store\r\n'
  if (status === 200) return lines
  if (status === 401) lines += 'www-authenticate: Bearer\r\n'
  if (status === 503) lines += 'retry-after: 1\r\n'
  return allow === undefined ? lines : `${lines}allow: ${allow}\r\n`
}

function sharedLines({ storedAtMs, staleAtMs }: NonNullable<Reply['lifetime']>): string {
  const maxAge = Math.floor((staleAtMs - storedAtMs) / 1000)
  const age = Math.max(0, Math.floor((Date.now() - storedAtMs) / 1000))
  return `cache-control: public, max-age=${maxAge}\r\nage: ${age}\r\n`
}
