import type { HTTPGraphQLResponse } from '@apollo/server'
import { type Found, type Made, type MediaType, writeOnce } from '../answers/index.ts'
import type { Ledger } from '../cache/index.ts'
import { type CacheWord, cacheWord } from '../graphql/resolving/index.ts'
import { formatToken } from '../invalidation/index.ts'
import type { Reply } from './send-reply.ts'

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
    asOf: tokenOf(Math.max(entry.epoch === ledger.epoch ? ledger.seen : entry.asOf, answer.newest), entry.epoch),
    cache: {
      word,
      status: isKept
        ? `hit; ttl=${Math.floor((entry.staleAtMs - Date.now()) / 1000)}; detail=${stale ?? origin}`
        : MADE[word] + (answer.etag === '' ? '' : made ? '; stored' : '; collapsed'),
    },
    // If the log can't be read, this node could tell no other cache that the answer has fallen.
    lifetime: answer.isPublic && !unsure ? entry : undefined,
  }
}

/** The reply of Apollo, which nothing keeps. */
function replyWithMade(made: Made, ledger: Ledger): Reply {
  const { context, response } = made
  const word = cacheWord(context)
  const position = Math.max(ledger.seen, context.progress.newest)
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
    answer: writeOnce(body.string, position),
    asOf: tokenOf(position, ledger.epoch),
    cache: undefined,
    lifetime: undefined,
    allow: headers.get('allow'),
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
