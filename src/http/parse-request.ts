import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { parse } from 'secure-json-parse'
import { RefusedRequest } from './refusals.ts'
import { charsetOf, isCoded, isJson } from './request-head.ts'

/**
 * The body of a request, parsed. Undefined if it has none: then its question stands in its target, which is checked.
 *
 * @throws RefusedRequest if it can't be read
 */
export function parseRequest({ url, headers }: IncomingMessage, body: Buffer | undefined): unknown {
  if (body) return parseBody(headers, body)
  checkTarget(url)
  return undefined
}

/**
 * The body of a POST or a QUERY, parsed. Undefined if the request has none: Apollo says what is missing. Throws a `RefusedRequest` for a body
 * that isn't JSON in UTF-8, or that reaches for a prototype.
 */
function parseBody(headers: IncomingHttpHeaders, body: Buffer): unknown {
  const type = headers['content-type']
  if (type === undefined && body.length === 0) return undefined
  if (!isJson(headers)) {
    if (isCoded(headers)) throw new RefusedRequest(415, 'Unsupported Media Type: a body must have no Content-Encoding.')
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

/** Without a byte order mark. */
function textOf(body: Buffer): string {
  try {
    return UTF_8.decode(body)
  } catch {
    throw new RefusedRequest(400, 'The body is not UTF-8.')
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Throws a `RefusedRequest` if the parameters of a URL aren't UTF-8, written as a URL has it (RFC 3986, section 2.5). Otherwise each
 * byte that isn't would be read as U+FFFD, and the answer be to another question.
 */
function checkTarget(target = ''): void {
  if (NOT_ASCII.test(target)) throw new RefusedRequest(400, 'A URL holds ASCII alone: write other letters as %C3%A9.')
  for (const [escaped] of target.matchAll(/(?:%[\da-f]{2})+/gi)) {
    if (!isUtf8(Buffer.from(escaped.replaceAll('%', ''), 'hex'))) {
      throw new RefusedRequest(400, 'The parameters are not UTF-8.')
    }
  }
}

const NOT_ASCII = /[\u0080-\uffff]/
