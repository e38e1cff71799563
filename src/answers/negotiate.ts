import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'

/** How a body is compressed, as `Content-Encoding` has it. */
export type Encoding = 'br' | 'gzip' | 'identity'

/** What a client takes best. */
export interface EncodingChoice {
  readonly long: Encoding
  /** For a body too short to gain by compression: `identity`, unless the client refuses that. */
  readonly short: Encoding
}

export type MediaType = (typeof MEDIA_TYPES)[number]

/** What an answer is sent as, by `Accept`. Undefined where that allows nothing we have (GraphQL over HTTP, section 6.1). */
export const chooseMediaType = remembered((accept): MediaType | undefined =>
  accept === ''
    ? MEDIA_TYPES[0]
    : (new Negotiator({ headers: { accept } }).mediaType([...MEDIA_TYPES]) as MediaType | undefined),
)

/** How it is compressed, by `Accept-Encoding` (RFC 9110, section 12.5.3). */
export const chooseEncoding = remembered((acceptEncoding): EncodingChoice => {
  const negotiator = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } }) as unknown as Preferring
  const long = negotiator.encoding(ENCODINGS, { preferred: ENCODINGS }) ?? 'identity'
  return { long, short: negotiator.encoding(['identity']) ?? long }
})

/** What its types don't know of yet. */
interface Preferring {
  encoding(available: readonly Encoding[], options?: { readonly preferred: readonly Encoding[] }): Encoding | undefined
}

/** With the charset, which `Accept` may name. */
const MEDIA_TYPES = ['application/json; charset=utf-8', 'application/graphql-response+json; charset=utf-8'] as const
/** The best first: clients rarely say which they like better. */
const ENCODINGS: readonly Encoding[] = ['br', 'gzip', 'identity']

/** Clients send few different headers, and each of them with every request. */
function remembered<T>(choose: (header: string) => T): (header: string | undefined) => T {
  const known = new LRUCache<string, { readonly choice: T }>({ max: 256 })
  return (header = '') => {
    const found = known.get(header)
    if (found) return found.choice
    const choice = choose(header)
    known.set(header, { choice })
    return choice
  }
}
