import { HeaderMap } from '@apollo/server'
import { ApolloServerErrorCode } from '@apollo/server/errors'
import { GraphQLError } from 'graphql'
import { MEDIA_TYPES, type MediaType } from '../answers/index.ts'
import { ClientError } from '../kernel/errors.ts'
import type { BodyFault } from './wire.ts'

/** A request that HTTP itself refuses, before anything in it is read as GraphQL. Its message is safe to show. */
export class RefusedRequest extends GraphQLError {
  /** @param allow the methods that would do, in a 405 */
  constructor(status: 400 | 405 | 406 | 413 | 415, message: string, allow?: string) {
    const http = { status, ...(allow !== undefined && { headers: new HeaderMap([['allow', allow]]) }) }
    super(message, { extensions: { code: ApolloServerErrorCode.BAD_REQUEST, http } })
  }
}

/** Why a body was not read to its end, for the client. */
export const refusedBody = (fault: BodyFault, maxBytes: number): ClientError =>
  fault === 'too-large'
    ? new ClientError('REQUEST_TOO_LARGE', `A body holds at most ${maxBytes} bytes.`, { status: 413 })
    : new ClientError('OVERLOADED', 'Too much is being sent here at this moment: try again.', { status: 503 })

/**
 * Throws a `RefusedRequest` if an operation may not be run for this request. HAZARD: Apollo would run it. It knows no QUERY: to it this
 * is a POST, which may write. And it looks at `Accept` only when it has an answer.
 */
export function checkMayRun(type: string, method: string | undefined, mediaType: MediaType | undefined): void {
  if (method === 'QUERY' && type !== 'query') {
    throw new RefusedRequest(405, `A QUERY changes nothing: send a ${type} by POST.`, 'POST')
  }
  if (!mediaType) throw new RefusedRequest(406, `The Accept header takes neither ${MEDIA_TYPES.join(' nor ')}.`)
}

/**
 * Throws a `RefusedRequest` for a batch: a list of operations, or a list of variables for one operation. Clients hardly send them (gateways
 * do), and each of its answers can be asked for, and kept, by itself.
 */
export function checkNoBatch(body: unknown, variables: unknown): void {
  if (Array.isArray(body)) {
    throw new RefusedRequest(400, 'The body is a list of operations (a batch): send each in a request of its own.')
  }
  if (Array.isArray(variables)) {
    throw new RefusedRequest(400, '`variables` is a list (a batch): send a request for each, with an object.')
  }
}

export const notCached = (): ClientError =>
  new ClientError('NOT_CACHED', 'This node holds no answer to these bytes that stands.', { status: 504 })

export const outOfTouch = (): ClientError =>
  new ClientError('UNAVAILABLE', 'This node has not heard of any change for too long: try another.', { status: 503 })

export const tooMany = (max: number): ClientError =>
  new ClientError('OVERLOADED', `More than ${max} requests wait for their turn: try again.`, { status: 503 })
