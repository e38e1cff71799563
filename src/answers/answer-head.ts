import type { Obtained } from '../cache/index.ts'
import type { CacheWord } from '../graphql/resolving/index.ts'
import type { KeptAnswer } from './kept-answers.ts'

export interface AnswerHeadParts {
  readonly obtained: Obtained<KeptAnswer>
  readonly word: CacheWord
  /** Whether others may keep it. */
  readonly isPublic: boolean
  /** It was made for somebody else who asked for the same just then. */
  readonly isJoined: boolean
  /** The position that it reflects. */
  readonly asOf: string
  readonly requestId: string
}

/** Of the head of an answer that is kept, the lines that are others each time, as they are sent. The rest is its `Representation`'s. */
export function answerHead(parts: AnswerHeadParts): string {
  const { obtained, word, isPublic, asOf, requestId } = parts
  const { storedAtMs, staleAtMs } = obtained.entry
  const nowMs = Date.now()
  const head = `cache-status: ${cacheStatus(parts, nowMs)}\r\nx-cache: ${word}\r\nstet-as-of: ${asOf}\r\nx-request-id: ${requestId}\r\ncache-control: `
  if (!isPublic) return `${head}${PRIVATE}\r\n`
  const maxAge = Math.floor((staleAtMs - storedAtMs) / 1000)
  const age = Math.max(0, Math.floor((nowMs - storedAtMs) / 1000))
  return `${head}public, max-age=${maxAge}\r\nage: ${age}\r\n`
}

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
