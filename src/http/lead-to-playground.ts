import type { ServerResponse } from 'node:http'
import { SECURE_LINE } from './safe-headers.ts'
import { writeMessage } from './wire.ts'

/** Leads a browser from `/graphql` to the playground. */
export function leadToPlayground(
  response: ServerResponse,
  { requestId, isSecure }: { readonly requestId: string; readonly isSecure: boolean },
): void {
  const lines = `location: /graphiql\r\nvary: Accept\r\ncache-control: no-store\r\nx-request-id: ${requestId}\r\n`
  const rest = 'content-length: 0\r\n\r\n'
  writeMessage(response, { status: 303, lines: isSecure ? lines + SECURE_LINE : lines, rest })
}
