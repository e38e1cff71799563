import { hash, randomUUID } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, METHODS as KNOWN } from 'node:http'
import { LRUCache } from 'lru-cache'
import Negotiator from 'negotiator'
import { type Encoding, type EncodingChoice, MEDIA_TYPES, type MediaType } from '../answers/index.ts'
import { parseUrl } from '../kernel/parse-url.ts'

/** True if a request target names `/graphql`, however it is spelt: with a query, with escapes, or in full as to a proxy (RFC 9112, section 3.2). */
export function isGraphQL(target: string): boolean {
  if (target.startsWith(PATH) && (target.length === PATH.length || target[PATH.length] === '?')) return true
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  // Each letter may be written with three.
  if (path.length > 3 * PATH.length) return false
  try {
    return decodeURIComponent(path) === PATH
  } catch {
    return false
  }
}

const PATH = '/graphql'

/** The methods that `/graphql` answers, as `Allow` has them. Earlier versions of Node don't know QUERY, and refuse it. */
export const METHODS = KNOWN.includes('QUERY') ? 'GET, HEAD, POST, QUERY' : 'GET, HEAD, POST'

/** True for a method whose question stands in its body: QUERY (RFC 10008) is a GET with a body. */
export const hasBody = (method: string | undefined): boolean => method === 'POST' || method === 'QUERY'

/** What a body may be (RFC 10008, section 3). */
export const ACCEPT_QUERY_LINE = KNOWN.includes('QUERY') ? 'accept-query: application/json\r\n' : ''

/** The id that the request brings if it is well-formed, otherwise a new one. Counted: drawing each at random takes longer than a hit. */
export const requestIdOf = ({ 'x-request-id': given }: IncomingHttpHeaders): string =>
  typeof given === 'string' && /^[\w.:=+/-]{1,200}$/.test(given) ? given : `${PROCESS_ID}-${(made++).toString(36)}`

const PROCESS_ID = randomUUID()
let made = 0

/**
 * Options of a server of Node: it refuses no request without `Host` in silence, and discards no second line of `Host`, `Content-Type` or
 * `Authorization`. Joined, two are no host, no type and no token.
 */
export const HEADS_AS_SENT = { requireHostHeader: false, joinDuplicateHeaders: true } as const

/** True if a request names its host (RFC 9112, section 3.2). HTTP/1.0 need not. Several lines are joined, and name none. */
export const hasHost = ({ headers: { host }, httpVersion }: IncomingMessage): boolean =>
  host === undefined ? httpVersion === '1.0' : isHost(host)

/** False if nobody can tell where the request ends (RFC 9112, section 6.3). Empty items of a list say nothing. */
export function isFramed({ 'transfer-encoding': encoding }: IncomingHttpHeaders): boolean {
  return encoding === undefined || /(?:^|,)[ \t]*(?:chunked)?[ \t]*$/i.test(encoding)
}

/** True if `host` can stand in a URL. */
export function isHost(host: string): boolean {
  if (host === lastHost) return true
  if (!parseUrl(`http://${host}/`)) return false
  lastHost = host
  return true
}

/** Most clients of a server call it by one name. */
let lastHost: string | undefined

/** True if a proxy that is believed says that the client came by TLS. The last value is that of the nearest proxy. */
export const isBehindTls = (
  { headers: { 'x-forwarded-proto': protocols }, socket }: IncomingMessage,
  trustsProxy: (address: string, hop: number) => boolean,
): boolean =>
  protocols !== undefined &&
  String(protocols).split(',').at(-1)?.trim() === 'https' &&
  socket.remoteAddress !== undefined &&
  trustsProxy(socket.remoteAddress, 0)

/** What a request says by `Cache-Control` (RFC 9111, section 5.2.1), as far as it is heard here. */
export interface CacheWishes {
  /** `no-cache` or `max-age=0`: no answer that was made before. */
  readonly fresh: boolean
  /** `no-store`: the answer is not kept. */
  readonly unkept: boolean
  /** `only-if-cached`: nothing is made. */
  readonly onlyIfCached: boolean
}

/** The directives of a request, in any order and case, with an argument in quotes or not. Those that mean nothing here are ignored. */
export function readCacheWishes(header: string | undefined): CacheWishes {
  if (header === undefined) return NO_WISHES
  const directives = header
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim())
  return {
    fresh: directives.some((it) => it === 'no-cache' || /^max-age="?0+"?$/.test(it)),
    unkept: directives.includes('no-store'),
    onlyIfCached: directives.includes('only-if-cached'),
  }
}

const NO_WISHES: CacheWishes = { fresh: false, unkept: false, onlyIfCached: false }

/**
 * True if a header asks for more than the answer that the same request was given before.
 * Also if the body is in a coding that Node's parser refuses: it does so only after the head was handed over.
 */
export function asksForMore(headers: IncomingHttpHeaders): boolean {
  const { fresh, onlyIfCached } = readCacheWishes(headers['cache-control'])
  if (headers['cache-control'] !== undefined && (fresh || !onlyIfCached)) return true
  return headers['stet-explain'] !== undefined || (headers['transfer-encoding'] ?? 'chunked') !== 'chunked'
}

/** True if the body says that it is JSON, and doesn't say that it is compressed, or anything but UTF-8 (RFC 8259, section 8.1). */
export function isJson(headers: IncomingHttpHeaders): boolean {
  const { 'content-type': type = '' } = headers
  const isNamed =
    type === 'application/json' || (/^application\/json\s*(;|$)/i.test(type) && charsetOf(type) === undefined)
  return isNamed && !isCoded(headers)
}

/** True for any coding (RFC 9110, section 8.4): what a compressed body takes when it is read is not bounded. */
export const isCoded = ({ 'content-encoding': coding }: IncomingHttpHeaders): boolean =>
  coding !== undefined && !/^(identity)?$/i.test(coding)

/** The charset that a type names, if that is another than UTF-8. */
export function charsetOf(type = ''): string | undefined {
  const named = [...type.matchAll(/;\s*charset\s*=\s*("[^"]*"|[^\s;]*)/gi)].map(([, name = '']) =>
    name.replaceAll('"', ''),
  )
  return named.find((name) => !/^utf-?8$/i.test(name.trim()))
}

/** Names the bytes of a request: a GET by its path, which is never JSON. Hashed, because memory holds the names of many requests. */
export const rawKeyOf = ({ url = '' }: IncomingMessage, body: Buffer | undefined): string =>
  hash('sha256', body ?? url, 'binary')

/** `If-None-Match` (RFC 9110, section 13.1.2): true if the client holds the representation with this entity tag. */
export function isHeld(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((held) => held.trim().replace(/^W\//, '') === tag)
}

/** The media type of the answer, by `Accept`. Undefined if the client takes none of ours (GraphQL over HTTP, section 6.1). */
export const chooseMediaType = remembered((accept): MediaType | undefined =>
  accept === ''
    ? MEDIA_TYPES[0]
    : (new Negotiator({ headers: { accept } }).mediaType([...MEDIA_TYPES]) as MediaType | undefined),
)

/** True if a person has probably opened `/graphql` in a browser: nothing is asked, and a page would be taken rather than JSON. */
export const isForPerson = ({ method, url = '', headers }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') && prefersHtml(headers.accept) && asksNothing(url)

/** Other parameters may stand in a link that was shared. */
function asksNothing(url: string): boolean {
  const parameters = new URLSearchParams(/\?.*/s.exec(url)?.[0])
  return !['query', 'documentId', 'extensions'].some((name) => parameters.get(name))
}

/** True if a page is wanted rather than any of our media types. */
const prefersHtml = remembered(
  (accept) =>
    accept !== '' && new Negotiator({ headers: { accept } }).mediaType([...MEDIA_TYPES, 'text/html']) === 'text/html',
)

/** How the body is compressed, by `Accept-Encoding` (RFC 9110, section 12.5.3). */
export const chooseEncoding = remembered((acceptEncoding): EncodingChoice => {
  const negotiator = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } }) as unknown as Preferring
  const long = negotiator.encoding(ENCODINGS, { preferred: ENCODINGS }) ?? 'identity'
  return { long, short: negotiator.encoding(['identity']) ?? long }
})

/** An option that the library's types don't have yet. */
interface Preferring {
  encoding(available: readonly Encoding[], options?: { readonly preferred: readonly Encoding[] }): Encoding | undefined
}

/** The best first: few clients say which one they prefer. */
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
