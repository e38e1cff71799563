import type { ServerResponse } from 'node:http'
import type { Cors } from './cors.ts'
import { ACCEPT_QUERY_LINE, METHODS } from './request-head.ts'
import { SECURE_LINE } from './safe-headers.ts'
import { writeMessage } from './wire.ts'

interface AnswerOptionsParts {
  readonly headers: { readonly origin?: string; readonly 'access-control-request-method'?: string | undefined }
  readonly requestId: string
  /** The client came by TLS. */
  readonly isSecure: boolean
  readonly cors: Cors | undefined
}

/** Answers OPTIONS: what `/graphql` takes, and to a preflight what a page of its origin may send. Nothing else is looked at: neither who asks, nor whether this node is well. */
export function answerOptions(
  response: ServerResponse,
  { headers, requestId, isSecure, cors }: AnswerOptionsParts,
): void {
  const { origin, 'access-control-request-method': wanted } = headers
  const corsLines = wanted === undefined ? cors?.linesFor(origin) : cors?.preflightLinesFor(origin)
  const own = `allow: ${METHODS}\r\n${ACCEPT_QUERY_LINE}cache-control: no-store\r\nx-request-id: ${requestId}\r\n`
  const lines = own + (cors?.varies ? 'vary: Origin\r\n' : '') + (corsLines ?? '')
  writeMessage(response, { status: 204, lines: isSecure ? lines + SECURE_LINE : lines, rest: '\r\n' })
}
