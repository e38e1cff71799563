import { ApolloServerErrorCode } from '@apollo/server/errors'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { AskerError, type ErrorCode } from '../../kernel/errors.ts'

/** The asker's own errors as they are; of anything else not a word. */
export function maskError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const expected = findExpected(error)
  if (!expected && !isRequestError(formatted)) {
    const requestId = formatted.extensions?.requestId
    const extensions = { code: ApolloServerErrorCode.INTERNAL_SERVER_ERROR, ...(requestId ? { requestId } : {}) }
    return { ...formatted, message: MASKED, extensions }
  }
  const { stacktrace: _, http: __, ...extensions } = expected?.extensions ?? formatted.extensions ?? {}
  return { ...formatted, message: expected?.message ?? formatted.message, extensions }
}

/** True for an error that `maskError` hides: it is ours, and must be logged. */
export const isUnexpected = (error: GraphQLError): boolean => !findExpected(error) && !isRequestError(error)

/** True for an error of an answer that may not come again, or not elsewhere: the question was all right. */
export const isOurFault = ({ extensions }: GraphQLFormattedError): boolean =>
  typeof extensions?.code === 'string' && OUR_FAULTS.has(extensions.code)

const OUR_FAULTS: ReadonlySet<string> = new Set<ErrorCode | 'INTERNAL_SERVER_ERROR'>([
  'INTERNAL_SERVER_ERROR',
  'UNAVAILABLE',
  'OVERLOADED',
  'LOAD_TIMEOUT',
])

export const MASKED = 'Something went wrong here. It has been logged.'

function findExpected(error: unknown): AskerError | undefined {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error
  return original instanceof AskerError ? original : explainDatabaseInput(original)
}

/** Documents that don't parse or validate, requests that aren't GraphQL over HTTP: graphql-js and Apollo say what is wrong. */
function isRequestError({ extensions }: Pick<GraphQLFormattedError, 'extensions'>): boolean {
  const code = extensions?.code
  return (
    typeof code === 'string' && code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR && code in ApolloServerErrorCode
  )
}

/** PostgreSQL texts can't hold every character that JSON strings can. */
function explainDatabaseInput(error: unknown): AskerError | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  const isBadText = code === '22021' || code === '22P05'
  return isBadText
    ? new AskerError('BAD_USER_INPUT', "A text holds a character that can't be stored, such as U+0000.")
    : undefined
}

/** What to throw so that Apollo answers with `error`, where it isn't a resolver that throws. `maskError` sees to the rest. */
export function toGraphQLError(error: Error, requestId?: string): GraphQLError {
  const extensions = error instanceof AskerError ? { ...error.extensions } : { requestId }
  return new GraphQLError(error.message, { extensions, originalError: error })
}
