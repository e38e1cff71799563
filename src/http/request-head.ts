import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

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

/** The id that the request brings if it is well-formed, otherwise a new one. Counted: drawing each at random takes longer than a hit. */
export const requestIdOf = ({ 'x-request-id': given }: IncomingHttpHeaders): string =>
  typeof given === 'string' && /^[\w.:=+/-]{1,200}$/.test(given) ? given : `${PROCESS_ID}-${(made++).toString(36)}`

const PROCESS_ID = randomUUID()
let made = 0

/** True if `host` can stand in a URL (RFC 9112, section 3.2). */
export function isHost(host: string | undefined): boolean {
  if (host === lastHost) return true
  if (!URL.canParse(`http://${host}/`)) return false
  lastHost = host
  return true
}

/** Most clients of a server call it by one name. */
let lastHost: string | undefined

/** True if a header asks for more than the answer that the same request was given before. */
export const asksForMore = (headers: IncomingHttpHeaders): boolean =>
  headers['cache-control'] !== undefined || headers['stet-explain'] !== undefined

/** `If-None-Match` (RFC 9110, section 13.1.2): true if the client holds the representation with this entity tag. */
export function isHeld(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((held) => held.trim().replace(/^W\//, '') === tag)
}
