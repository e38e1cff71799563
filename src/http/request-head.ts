import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** The request's own, where that will do as one. Else one that no other has: to draw each at random takes longer than to find an answer. */
export const requestIdOf = ({ 'x-request-id': given }: IncomingHttpHeaders): string =>
  typeof given === 'string' && /^[\w.:=+/-]{1,200}$/.test(given) ? given : `${PROCESS_ID}-${(made++).toString(36)}`

const PROCESS_ID = randomUUID()
let made = 0

/** Whoever reads the URL of a request would fall over one that isn't (RFC 9112, section 3.2). */
export function isHost(host: string | undefined): boolean {
  if (host === lastHost) return true
  if (!URL.canParse(`http://${host}/`)) return false
  lastHost = host
  return true
}

/** Clients of one server call it by few names. */
let lastHost: string | undefined

/** True for what isn't answered like the last time: see `GraphQLRoute`. */
export const asksForMore = (headers: IncomingHttpHeaders): boolean =>
  headers['cache-control'] !== undefined || headers['stet-explain'] !== undefined

export const isJson = ({ 'content-type': type }: IncomingHttpHeaders): boolean =>
  type !== undefined && /^application\/json\s*(;\s*charset=utf-8)?$/i.test(type)

export const isGraphQL = (url: string): boolean => url.startsWith('/graphql') && (url.length === 8 || url[8] === '?')

/** `If-None-Match` (RFC 9110, section 13.1.2): of one of these the client has the bytes. */
export function isHeld(ifNoneMatch: string, tag: string): boolean {
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((held) => held.trim().replace(/^W\//, '') === tag)
}
