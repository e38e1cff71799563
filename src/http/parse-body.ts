import type { IncomingHttpHeaders } from 'node:http'
import { parse } from 'secure-json-parse'
import { RefusedRequest } from './refused-request.ts'

/**
 * The body of a POST or a QUERY, parsed. Undefined if the request has none: Apollo says what is missing. Throws a `RefusedRequest` for a body
 * that isn't JSON in UTF-8, or that reaches for a prototype.
 */
export function parseBody(headers: IncomingHttpHeaders, body: Buffer): unknown {
  const type = headers['content-type']
  if (type === undefined && body.length === 0) return undefined
  if (!isJson(headers)) {
    if (charsetOf(type) !== undefined) throw new RefusedRequest(415, 'Unsupported Media Type: a body must be in UTF-8.')
    // Apollo explains why plain text won't do: a page of another site may send it without a preflight.
    if (/^text\/plain\s*(;|$)/i.test(type ?? '')) return textOf(body)
    throw new RefusedRequest(415, 'Unsupported Media Type: a body must be application/json.')
  }
  const text = textOf(body)
  if (text === '') throw new RefusedRequest(400, "Body cannot be empty when content-type is set to 'application/json'")
  try {
    return parse(text, { protoAction: 'error', constructorAction: 'error' })
  } catch {
    throw new RefusedRequest(400, "Body is not valid JSON but content-type is set to 'application/json'")
  }
}

/** True if the body says that it is JSON, and doesn't say that it is anything but UTF-8 (RFC 8259, section 8.1). */
export const isJson = ({ 'content-type': type = '' }: IncomingHttpHeaders): boolean =>
  type === 'application/json' || (/^application\/json\s*(;|$)/i.test(type) && charsetOf(type) === undefined)

/** The charset that a type names, if that is another than UTF-8. */
function charsetOf(type = ''): string | undefined {
  const named = [...type.matchAll(/;\s*charset\s*=\s*("[^"]*"|[^\s;]*)/gi)].map(([, name = '']) =>
    name.replaceAll('"', ''),
  )
  return named.find((name) => !/^utf-?8$/i.test(name.trim()))
}

/** Without a byte order mark. */
function textOf(body: Buffer): string {
  try {
    return UTF_8.decode(body)
  } catch {
    throw new RefusedRequest(400, 'The body is not UTF-8.')
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })
