import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HTTPGraphQLResponse } from '@apollo/server'
import {
  type EncodedAnswers,
  type EncodedBody,
  entityTag,
  etagOf,
  type Form,
  type Found,
  type Made,
  type MediaType,
  represent,
  representUnchanged,
  type WrittenAnswer,
  writeOnce,
} from '../answers/index.ts'
import type { Ledger } from '../cache/index.ts'
import { type CacheWord, cacheWord } from '../graphql/resolving/index.ts'
import { formatToken } from '../invalidation/index.ts'
import type { CdnPolicy } from './cdn-policy.ts'
import type { Cors } from './cors.ts'
import { ACCEPT_QUERY_LINE, chooseEncoding, isHeld } from './request-head.ts'
import { SECURE_LINE } from './safe-headers.ts'
import { writeMessage } from './wire.ts'

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
  readonly lifetime: Lifetime | undefined
  /** The methods that would do, in a 405. */
  readonly allow: string | undefined
  /** After how many seconds to try again. */
  readonly retryAfter: string | undefined
  /** `RateLimit` and `RateLimit-Policy`, by their names in lower case. */
  readonly rateLimit: Readonly<Record<string, string>> | undefined
}

/** When an answer was stored, and until when it is fresh, in milliseconds since 1970. */
export interface Lifetime {
  readonly storedAtMs: number
  readonly staleAtMs: number
}

export interface FoundFor {
  readonly mediaType: MediaType | undefined
  /** The log can't be read just now. */
  readonly unsure: boolean
  readonly ledger: Ledger
}

/** The reply to a request whose answer was found or made. */
export function replyWith(found: Found, { mediaType, unsure, ledger }: FoundFor): Reply {
  const { obtained, made } = found
  if (!obtained || !mediaType) {
    if (!made) throw new TypeError('An answer that was kept has a media type.')
    return replyWithMade(made, ledger)
  }
  const { entry, origin, stale } = obtained
  const answer = entry.value
  if (!answer) throw new TypeError('An entry that holds no answer was found.')
  const isKept = origin !== 'source'
  const word = isKept ? (stale || unsure ? 'STALE' : 'HIT') : made ? cacheWord(made.context) : 'MISS'
  return {
    status: 200,
    mediaType,
    answer,
    // A standing answer is as good as one made now. In another history only its own position counts.
    asOf: tokenOf(entry.epoch === ledger.epoch ? Math.max(ledger.seen, entry.asOf) : entry.asOf, entry.epoch),
    cache: {
      word,
      status: isKept
        ? `hit; ttl=${Math.floor((entry.staleAtMs - Date.now()) / 1000)}; detail=${stale ?? origin}`
        : MADE[word] + (etagOf(answer) === '' ? '' : made ? '; stored' : '; collapsed'),
    },
    // If the log can't be read, this node could tell no other cache that the answer has fallen.
    lifetime: answer.isPublic && !unsure ? entry : undefined,
    allow: undefined,
    retryAfter: undefined,
    rateLimit: undefined,
  }
}

/** The reply of Apollo, which nothing keeps. */
function replyWithMade(made: Made, ledger: Ledger): Reply {
  const { context, response } = made
  const word = cacheWord(context)
  const position = Math.max(ledger.seen, context.progress.snapshot.position)
  return {
    ...replyWithResponse(response, position, ledger),
    status: statusOf(made),
    cache: { word, status: MADE[word] },
  }
}

/** The reply to a request that Apollo refused before it had a context. */
export function replyWithResponse(
  { status = 200, headers, body }: HTTPGraphQLResponse,
  position: number,
  ledger: Ledger,
): Reply {
  if (body.kind !== 'complete') throw new TypeError('No answer is delivered in parts.')
  return {
    status,
    mediaType: headers.get('content-type') as MediaType,
    answer: writeOnce(body.string),
    asOf: tokenOf(position, ledger.epoch),
    cache: undefined,
    lifetime: undefined,
    allow: headers.get('allow'),
    retryAfter: headers.get('retry-after'),
    rateLimit:
      status === 429 ? Object.fromEntries([...headers].filter(([name]) => name.startsWith('ratelimit'))) : undefined,
  }
}

/** In plain JSON a faulty document is told by its errors alone: the client may know nothing of status codes (GraphQL over HTTP, section 6.4.1). */
function statusOf({ response: { status = 200, headers }, context }: Made): number {
  const isPlainJson = headers.get('content-type')?.startsWith('application/json')
  return status === 400 && context.progress.isQuestion && isPlainJson ? 200 : status
}

/** RFC 9211, for an answer that was made for this request: a hit as well, if the cache held all of its entries. */
const MADE: Readonly<Record<CacheWord, string>> = {
  HIT: 'hit; detail=entries',
  STALE: 'hit; detail=entries',
  MISS: 'fwd=miss',
  BYPASS: 'fwd=bypass',
}

/** The last token is kept: most answers in a row reflect the same position. */
function tokenOf(position: number, epoch: string): string {
  if (position !== last.position || epoch !== last.epoch) {
    last = { position, epoch, text: formatToken(position, epoch) }
  }
  return last.text
}

let last = { position: -1, epoch: '', text: '' }

export interface Sending {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId: string
  readonly encoded: EncodedAnswers
  /** The client came by TLS. */
  readonly isSecure: boolean
  /** The connection ends with this response. */
  readonly isLast: boolean
  /** Undefined: only pages of this very origin may call. */
  readonly cors: Cors | undefined
  /** Undefined: a CDN may keep what browsers may. */
  readonly cdn: CdnPolicy | undefined
  /** Called if some of the response waits for the client to read. */
  readonly onUnread: (request: IncomingMessage, response: ServerResponse) => void
}

/** Sends a reply: its bytes, compressed if the client takes that, or a 304. Nothing else writes a head for `/graphql`. */
export function sendReply(reply: Reply, sending: Sending): void {
  const choice = chooseEncoding(sending.request.headers['accept-encoding'] as string | undefined)
  const encoded = choice.long === 'identity' ? undefined : sending.encoded.body(reply.answer, choice)
  if (encoded instanceof Promise) void encoded.then((late) => write(reply, late, sending))
  else write(reply, encoded, sending)
}

function write(
  reply: Reply,
  encoded: EncodedBody | undefined,
  { request, response, requestId, isSecure, isLast, cors, cdn, onUnread }: Sending,
): void {
  const { answer, mediaType, lifetime } = reply
  const { method, headers } = request
  const form: Form = { mediaType, encoded, isPublic: lifetime !== undefined, variesByOrigin: cors?.varies ?? false }
  if (isLast) response.shouldKeepAlive = false
  let head = headLines(reply, requestId, cdn)
  // Only pages name their origin.
  if (cors && (headers.origin !== undefined || !cors.varies)) head += cors.linesFor(headers.origin)
  if (isSecure) head += SECURE_LINE
  const ifNoneMatch = method === 'POST' || etagOf(answer) === '' ? undefined : headers['if-none-match']
  if (ifNoneMatch !== undefined && isHeld(ifNoneMatch, entityTag(answer, form))) {
    const unchanged = representUnchanged(answer, form)
    writeMessage(response, { status: 304, lines: head + unchanged.lines, rest: unchanged.rest })
  } else {
    const whole = represent(answer, form, { withBody: method !== 'HEAD' })
    writeMessage(response, { status: reply.status, lines: head + whole.lines, rest: whole.rest })
  }
  if (response.writableLength > 0) onUnread(request, response)
}

/** The lines of a head that differ from request to request. The others are the answer's own: see `represent`. */
function headLines(
  { status, cache, asOf, lifetime, allow, retryAfter, rateLimit }: Reply,
  requestId: string,
  cdn: CdnPolicy | undefined,
): string {
  let lines = `stet-as-of: ${asOf}\r\nx-request-id: ${requestId}\r\n`
  if (cache) lines += `cache-status: stet; ${cache.status}\r\nx-cache: ${cache.word}\r\n`
  lines += lifetime ? lifetimeLines(lifetime, cache?.word === 'STALE', cdn) : 'cache-control: private, no-store\r\n'
  if (rateLimit) for (const [name, value] of Object.entries(rateLimit)) lines += `${name}: ${value}\r\n`
  if (status === 200) return lines
  if (status === 405 || status === 415) lines += ACCEPT_QUERY_LINE
  if (status === 415) lines += 'accept-encoding: identity\r\n'
  if (status === 401) lines += 'www-authenticate: Bearer\r\n'
  const seconds = retryAfter ?? (status === 503 ? '1' : undefined)
  if (seconds !== undefined) lines += `retry-after: ${seconds}\r\n`
  return allow === undefined ? lines : `${lines}allow: ${allow}\r\n`
}

/**
 * The lines that say for how long browsers and shared caches may keep a public answer. Nothing is fresh beyond `staleAtMs`.
 *
 * HAZARD: nginx ignores `Age`. By `max-age` alone it would keep an old answer for a second life. `X-Accel-Expires`, which only nginx
 * reads, has what is left.
 *
 * @param isStale such an answer is fresh nowhere: a cache in front may keep it, and must ask again each time
 * @param cdn undefined: a CDN may keep what browsers may
 */
export function lifetimeLines(
  { storedAtMs, staleAtMs }: Lifetime,
  isStale: boolean,
  cdn: CdnPolicy | undefined,
): string {
  const lifetime = Math.floor((staleAtMs - storedAtMs) / 1000)
  const ageNow = Math.max(0, Math.floor((Date.now() - storedAtMs) / 1000))
  if (isStale) return `cache-control: public, max-age=0\r\nx-accel-expires: 0\r\nage: ${ageNow}\r\n`
  const age = Math.min(ageNow, lifetime)
  if (!cdn) return `cache-control: public, max-age=${lifetime}\r\nx-accel-expires: ${lifetime - age}\r\nage: ${age}\r\n`
  // Counted from when the answer was stored, as `Age` is. A standing answer is as good as one made now.
  const shared = Math.min(lifetime, age + cdn.maxAge)
  return (
    `cache-control: public, max-age=${lifetime}, s-maxage=${shared}\r\n` +
    `cdn-cache-control: max-age=${shared}${staleDirectives(cdn)}\r\nx-accel-expires: ${shared - age}\r\nage: ${age}\r\n`
  )
}

/** RFC 5861. */
const staleDirectives = ({ staleWhileRevalidate, staleIfError }: CdnPolicy): string =>
  (staleWhileRevalidate > 0 ? `, stale-while-revalidate=${staleWhileRevalidate}` : '') +
  (staleIfError > 0 ? `, stale-if-error=${staleIfError}` : '')
