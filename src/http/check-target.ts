import { isUtf8 } from 'node:buffer'
import { RefusedRequest } from './refused-request.ts'

/**
 * Throws a `RefusedRequest` if the parameters of a URL aren't UTF-8, written as a URL has it (RFC 3986, section 2.5). Otherwise each
 * byte that isn't would be read as U+FFFD, and the answer be to another question.
 */
export function checkTarget(target = ''): void {
  if (NOT_ASCII.test(target)) throw new RefusedRequest(400, 'A URL holds ASCII alone: write other letters as %C3%A9.')
  for (const [escaped] of target.matchAll(/(?:%[\da-f]{2})+/gi)) {
    if (!isUtf8(Buffer.from(escaped.replaceAll('%', ''), 'hex'))) {
      throw new RefusedRequest(400, 'The parameters are not UTF-8.')
    }
  }
}

const NOT_ASCII = /[\u0080-\uffff]/
