import { ApolloServerErrorCode } from '@apollo/server/errors'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { LoadTimeoutError } from '../../cache/index.ts'
import { DatabaseOverloadedError, DatabaseUnavailableError } from '../../database/index.ts'
import { InvalidTokenError, NotCaughtUpError } from '../../invalidation/index.ts'
import { ClientError, type ErrorCode } from '../../kernel/errors.ts'
import { quote } from '../../kernel/input.ts'

/**
 * The code, message and HTTP status that a client gets for `error`. Undefined if the client is told nothing of it. The rooms
 * below throw plain errors of their own: this is the one place that gives those a code.
 */
export function toClientError(error: unknown): ClientError | undefined {
  if (error instanceof ClientError) return error
  if (error instanceof LoadTimeoutError) return new ClientError('LOAD_TIMEOUT', error.message, { cause: error })
  if (error instanceof DatabaseUnavailableError) return unavailable('UNAVAILABLE', error)
  if (error instanceof DatabaseOverloadedError) return unavailable('OVERLOADED', error)
  if (error instanceof NotCaughtUpError) return unavailable('NOT_CAUGHT_UP', error)
  if (error instanceof InvalidTokenError) {
    const message = `Stet-As-Of must be a token that an answer carried, not ${quote(error.token)}.`
    return new ClientError('BAD_USER_INPUT', message, { status: 400, cause: error })
  }
  return isUnstorableText(error)
    ? new ClientError('BAD_USER_INPUT', "A text holds a character that can't be stored, such as U+0000.")
    : undefined
}

const unavailable = (code: ErrorCode, cause: Error): ClientError =>
  new ClientError(code, cause.message, { status: 503, cause })

/** PostgreSQL texts can't hold every character that JSON strings can. */
function isUnstorableText(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return code === '22021' || code === '22P05'
}

/** The client's own errors as they are. Of any other error, the client learns nothing but where to look for it. */
export function maskError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const told = toClientError(originalOf(error))
  if (!told && !isRequestError(formatted)) {
    const requestId = formatted.extensions?.requestId
    const extensions = { code: ApolloServerErrorCode.INTERNAL_SERVER_ERROR, ...(requestId ? { requestId } : {}) }
    return { ...formatted, message: MASKED, extensions }
  }
  const { stacktrace: _, http: __, ...extensions } = told?.extensions ?? formatted.extensions ?? {}
  return { ...formatted, message: cut(told?.message ?? formatted.message), extensions }
}

/** Messages of graphql-js repeat names and values, however long. */
const cut = (message: string): string =>
  message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE / 2)} … ${message.slice(-MAX_MESSAGE / 2)}`

const MAX_MESSAGE = 1000

export const MASKED = 'Something went wrong here. It has been logged.'

/** True for an error that `maskError` hides: it is the server's fault, and must be logged. */
export const isUnexpected = (error: GraphQLError): boolean =>
  !toClientError(originalOf(error)) && !isRequestError(error)

/** True for an error that another try, or another node, may not meet: the request itself was all right. */
export const isOurFault = ({ extensions }: GraphQLFormattedError): boolean =>
  typeof extensions?.code === 'string' && OUR_FAULTS.has(extensions.code)

const OUR_FAULTS: ReadonlySet<string> = new Set<ErrorCode | 'INTERNAL_SERVER_ERROR'>([
  'INTERNAL_SERVER_ERROR',
  'UNAVAILABLE',
  'OVERLOADED',
  'LOAD_TIMEOUT',
])

/** The error to throw outside of resolvers, so that Apollo answers with `error`. `maskError` sees to the rest. */
export function toGraphQLError(error: Error, requestId?: string): GraphQLError {
  const told = toClientError(error)
  const extensions = told ? { ...told.extensions } : { requestId }
  return new GraphQLError(told?.message ?? error.message, { extensions, originalError: error })
}

/** Gives errors of resolvers their codes and statuses. To be called before Apollo looks for a status in them. */
export function addCodes(errors: readonly GraphQLError[]): void {
  for (const error of errors) Object.assign(error.extensions, toClientError(originalOf(error))?.extensions)
}

const originalOf = (error: unknown): unknown => (error instanceof GraphQLError ? (error.originalError ?? error) : error)

/** Documents that don't parse or validate, requests that aren't GraphQL over HTTP: graphql-js and Apollo say what is wrong. */
function isRequestError({ extensions }: Pick<GraphQLFormattedError, 'extensions'>): boolean {
  const code = extensions?.code
  return (
    typeof code === 'string' && code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR && code in ApolloServerErrorCode
  )
}
