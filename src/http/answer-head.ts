import { LRUCache } from 'lru-cache'
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

/** The head of an answer that is kept, flat as `writeHead` takes it: name, value, name, value … */
export function answerHead(parts: AnswerHeadParts): string[] {
  const { value, obtained, etag, mediaType, encoding, word, isPublic, asOf, requestId } = parts
  const { storedAtMs, staleAtMs } = obtained.entry
  const nowMs = Date.now()
  const head = [
    'content-type',
    mediaType,
    'etag',
    etag,
    'vary',
    VARY,
    'cache-status',
    cacheStatus(parts, nowMs),
    'x-cache',
    word,
    'stet-as-of',
    asOf,
    'x-request-id',
    requestId,
  ]
  if (encoding !== 'identity') head.push('content-encoding', encoding)
  if (!isPublic) head.push('cache-control', PRIVATE)
  else {
    head.push('cache-control', `public, max-age=${Math.floor((staleAtMs - storedAtMs) / 1000)}`)
    head.push('age', String(Math.max(0, Math.floor((nowMs - storedAtMs) / 1000))))
    head.push('surrogate-key', value.tags, 'cache-tag', withCommas(value.tags))
  }
  return head
}

/** What is long takes so long that it is remembered: answers that are asked for often need it each time. */
function withCommas(tags: string): string {
  if (tags.length < WORTH_REMEMBERING) return tags.replaceAll(' ', ',')
  let text = commas.get(tags)
  if (text === undefined) {
    text = tags.replaceAll(' ', ',')
    commas.set(tags, text)
  }
  return text
}

const commas = new LRUCache<string, string>({ max: 1024 })
/** Characters: what is shorter is made as quickly as it is found. */
const WORTH_REMEMBERING = 256

/** Of a head, what goes with a 304 (RFC 9110, section 15.4.5): what describes bytes that aren't sent is left out. */
export function unchangedHead(head: readonly string[]): string[] {
  return head.filter((_, index) => !OF_THE_BYTES.has(head[index - (index % 2)] ?? ''))
}

const OF_THE_BYTES: ReadonlySet<string> = new Set(['content-type', 'content-encoding'])

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
