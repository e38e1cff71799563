import { LRUCache } from 'lru-cache'
import type { Obtained } from '../cache/index.ts'
import type { CacheWord } from '../request/context.ts'
import type { Encoding, KeptAnswer } from '../responses/index.ts'
import type { MediaType } from './negotiate.ts'

export interface AnswerHeadParts {
  readonly value: KeptAnswer
  readonly obtained: Obtained<KeptAnswer>
  readonly mediaType: MediaType
  readonly encoding: Encoding
  readonly word: CacheWord
  /** The position that it reflects. */
  readonly asOf: string
  readonly requestId: string
}

/** The head of an answer that is kept, flat as `writeHead` takes it: name, value, name, value … */
export function answerHead({ value, obtained, mediaType, encoding, word, asOf, requestId }: AnswerHeadParts): string[] {
  const { storedAtMs, staleAtMs } = obtained.entry
  const nowMs = Date.now()
  const head = [
    'content-type',
    `${mediaType}; charset=utf-8`,
    'etag',
    entityTag(value, mediaType, encoding),
    'vary',
    VARY,
    'cache-status',
    cacheStatus(obtained, word, nowMs),
    'x-cache',
    word,
    'stet-as-of',
    asOf,
    'x-request-id',
    requestId,
  ]
  if (encoding !== 'identity') head.push('content-encoding', encoding)
  if (!value.isPublic) head.push('cache-control', PRIVATE)
  else {
    head.push('cache-control', `public, max-age=${Math.floor((staleAtMs - storedAtMs) / 1000)}`)
    head.push('age', String(Math.max(0, Math.floor((nowMs - storedAtMs) / 1000))))
    head.push('surrogate-key', value.tags, 'cache-tag', withCommas(value.tags))
  }
  return head
}

/** Answers that are asked for often need it each time. */
function withCommas(tags: string): string {
  let text = commas.get(tags)
  if (text === undefined) {
    text = tags.replaceAll(' ', ',')
    commas.set(tags, text)
  }
  return text
}

const commas = new LRUCache<string, string>({ max: 1024 })

/** Of a head, what goes with a 304 (RFC 9110, section 15.4.5): what describes bytes that aren't sent is left out. */
export function unchangedHead(head: readonly string[]): string[] {
  return head.filter((_, index) => !OF_THE_BYTES.has(head[index - (index % 2)] ?? ''))
}

const OF_THE_BYTES: ReadonlySet<string> = new Set(['content-type', 'content-encoding'])

/** Strong, and of these bytes alone: compressed or of another type it is another representation (RFC 9110, section 8.8.3). */
export const entityTag = ({ etag }: KeptAnswer, mediaType: MediaType, encoding: Encoding): string =>
  `"${etag}${mediaType === 'application/json' ? '' : '.graphql'}${encoding === 'identity' ? '' : `.${encoding}`}"`

/** RFC 9211. */
function cacheStatus({ entry, origin, stale }: Obtained<unknown>, word: CacheWord, nowMs: number): string {
  if (origin !== 'source') {
    const ttl = Math.floor((entry.staleAtMs - nowMs) / 1000)
    return `stet; hit; ttl=${ttl}; detail=${stale ?? origin}`
  }
  // Made from entries that were at hand, the source left alone: a hit as well.
  return word === 'HIT' || word === 'STALE' ? 'stet; hit; detail=entries' : `stet; fwd=${FORWARDED[word]}; stored`
}

const FORWARDED = { MISS: 'miss', BYPASS: 'bypass' } as const

/** For one viewer, this once. */
export const PRIVATE = 'private, no-store'

/** What else decides which answer somebody is given. HAZARD: without these a shared cache would mix up viewers. */
const VARY = 'Accept, Accept-Encoding, Authorization, Stet-As-Of'
