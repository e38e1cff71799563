import type { IncomingMessage, ServerResponse } from 'node:http'
import { prefersHtml } from './request-head.ts'
import { SECURE_LINE } from './safe-headers.ts'
import { writeMessage } from './write-message.ts'

/** True if a person has probably opened `/graphql` in a browser: nothing is asked, and a page would be taken rather than JSON. */
export const isForPerson = ({ method, url = '', headers }: IncomingMessage): boolean =>
  (method === 'GET' || method === 'HEAD') && !/\?./.test(url) && prefersHtml(headers.accept)

/** Leads a browser from `/graphql` to the playground. */
export function leadToPlayground(
  response: ServerResponse,
  { requestId, isSecure }: { readonly requestId: string; readonly isSecure: boolean },
): void {
  const lines = `location: /graphiql\r\nvary: Accept\r\ncache-control: no-store\r\nx-request-id: ${requestId}\r\n`
  const rest = 'content-length: 0\r\n\r\n'
  writeMessage(response, { status: 303, lines: isSecure ? lines + SECURE_LINE : lines, rest })
}
