import type { Obtained } from '../cache/index.ts'
import type { CacheWord } from '../request/context.ts'
import type { Encoding, KeptAnswer } from '../responses/index.ts'
import type { MediaType } from './negotiate.ts'

export interface AnswerHeadParts {
  readonly value: KeptAnswer
  readonly obtained: Obtained<KeptAnswer>
  readonly etag: string
  readonly mediaType: MediaType
  readonly encoding: Encoding
  readonly word: CacheWord
  /** Whether others may keep it. */
  readonly isPublic: boolean
  /** It was made for somebody else who asked for the same just then. */
  readonly isJoined: boolean
  /** The position that it reflects. */
  readonly asOf: string
  readonly requestId: string
}

/** The head of an answer that is kept: its lines, as they are sent. */
export function answerHead(parts: AnswerHeadParts): string {
  const { value, obtained, etag, mediaType, encoding, word, isPublic, asOf, requestId } = parts
  const { storedAtMs, staleAtMs } = obtained.entry
  const nowMs = Date.now()
  let head = `content-type: ${mediaType}\r\netag: ${etag}\r\nvary: ${VARY}\r\n`
  head += `cache-status: ${cacheStatus(parts, nowMs)}\r\nx-cache: ${word}\r\n`
  head += `stet-as-of: ${asOf}\r\nx-request-id: ${requestId}\r\n`
  if (encoding !== 'identity') head += `content-encoding: ${encoding}\r\n`
  if (!isPublic) return `${head}cache-control: ${PRIVATE}\r\n`
  const maxAge = Math.floor((staleAtMs - storedAtMs) / 1000)
  const age = Math.max(0, Math.floor((nowMs - storedAtMs) / 1000))
  return `${head}cache-control: public, max-age=${maxAge}\r\nage: ${age}\r\n${value.tagLines}`
}

/** Of a head, the lines that name cache tags: as some CDNs read them, and as others do. */
export const tagLines = (words: string): string =>
  `surrogate-key: ${words}\r\ncache-tag: ${words.replaceAll(' ', ',')}\r\n`

/** Of a head, what goes with a 304 (RFC 9110, section 15.4.5): what describes bytes that aren't sent is left out. */
export const unchangedHead = (head: string): string => head.replaceAll(OF_THE_BYTES, '')

const OF_THE_BYTES = /^content-(type|encoding): .*\r\n/gm

/** Strong, and of these bytes alone: compressed or of another type it is another representation (RFC 9110, section 8.8.3). */
export const entityTag = ({ etag }: KeptAnswer, mediaType: MediaType, encoding: Encoding): string =>
  `"${etag}${mediaType.startsWith('application/json') ? '' : '.graphql'}${encoding === 'identity' ? '' : `.${encoding}`}"`

/** RFC 9211. */
function cacheStatus({ obtained: { entry, origin, stale }, word, isJoined }: AnswerHeadParts, nowMs: number): string {
  if (origin === 'source') return madeStatus(word) + (isJoined ? '; collapsed' : '; stored')
  const ttl = Math.floor((entry.staleAtMs - nowMs) / 1000)
  return `stet; hit; ttl=${ttl}; detail=${stale ?? origin}`
}

/** Of an answer that was made just now: a hit as well, where the entries were at hand and the source was left alone. */
export const madeStatus = (word: CacheWord): string => `stet; ${MADE[word]}`

const MADE = {
  HIT: 'hit; detail=entries',
  STALE: 'hit; detail=entries',
  MISS: 'fwd=miss',
  BYPASS: 'fwd=bypass',
} as const

/** For one viewer, this once. */
export const PRIVATE = 'private, no-store'

/** What else decides which answer somebody is given. HAZARD: without these a shared cache would mix up viewers. */
const VARY = 'Accept, Accept-Encoding, Authorization, Stet-As-Of'
