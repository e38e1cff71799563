import type { ServerResponse } from 'node:http'
import type { ByteString } from '../answers/index.ts'
import { SAFE_LINES } from './safe-headers.ts'

/** A response as it goes out. HAZARD: nothing checks the lines. Text that a client or a row brings must be safe in them. */
export interface Message {
  readonly status: number
  /** Lines of the head, each with its end. */
  readonly lines: string
  /** More lines perhaps, the empty line, and the body if one is sent. */
  readonly rest: ByteString
}

/** Writes a whole response by members of Node that are public. */
export function writeByNode(response: ServerResponse, { status, lines, rest }: Message): void {
  // If `rest` begins with the empty line, a body that holds another empty line must not be taken for lines.
  const linesEnd = rest.startsWith('\r\n') ? 0 : rest.indexOf('\r\n\r\n') + 2
  const headers = (SAFE_LINES + lines + rest.slice(0, linesEnd)).split('\r\n').filter((line) => line !== '')
  response.writeHead(
    status,
    headers.flatMap((line) => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)]
    }),
  )
  response.end(rest.slice(linesEnd + 2), 'latin1')
}
