/**
 * An error that a client is told of: its message is safe to show, and its code is stable. GraphQL copies `extensions` into the
 * answer. The rooms below the API throw plain errors instead; `graphql/resolving/mask-errors.ts` turns those into this one, and
 * hides all others.
 */
export class ClientError extends Error {
  readonly code: ErrorCode
  readonly extensions: Readonly<Record<string, unknown>>

  /**
   * @param options.field the input field to blame, as in `input.slug` or `first`
   * @param options.status the HTTP status, if the whole request is refused
   * @param options.retryAfterSeconds when another try may succeed, if the whole request is refused: sent as `Retry-After`
   * @param options.headers further headers, by their names in lower case, if the whole request is refused
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly field?: string | undefined
      readonly status?: number
      readonly retryAfterSeconds?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    const { field, status, retryAfterSeconds } = options
    const retryAfter = retryAfterSeconds && { 'retry-after': String(retryAfterSeconds) }
    const headers = new Map(Object.entries({ ...options.headers, ...retryAfter }))
    this.extensions = {
      code,
      ...(field === undefined ? {} : { field }),
      ...(status === undefined ? {} : { http: { status, ...(headers.size > 0 && { headers }) } }),
    }
  }
}

/** Every code that an answer can have in `extensions.code`, beside `INTERNAL_SERVER_ERROR` and those of documents that don't parse or validate. */
export const errorCodes = {
  BAD_USER_INPUT: 'An argument or input field is not what it should be; `field` names it.',
  NOT_FOUND: 'The object to change does not exist, or the viewer may not see it.',
  SLUG_TAKEN: 'Another article or tag has this slug.',
  USERNAME_TAKEN: 'Another user has this username.',
  EMAIL_TAKEN: 'Another user has this e-mail address.',
  USER_HAS_ARTICLES: 'The user still has articles: delete them first.',
  VERSION_CONFLICT: 'The article was changed after the version that `expectedVersion` names.',
  UNAUTHENTICATED: 'The request has no token, or its token is not valid. HTTP status 401 if the token was refused.',
  FORBIDDEN: 'The viewer may not do this.',
  RATE_LIMITED:
    'The client did this too often, or its requests have cost too much: try again after the time that the message names. HTTP status 429 with `Retry-After` if the whole request was refused.',
  QUERY_TOO_COMPLEX:
    'The query is longer, deeper or wider than the server takes, or could ask for more objects than it gives at once. HTTP status 400.',
  ANSWER_TOO_LARGE:
    'The answer would have more bytes than the server sends: ask for less at once. HTTP status 200 or 400, as the media type has it.',
  TOO_MANY_ERRORS: 'The answer would have more errors than the server looks for. It has no data.',
  REQUEST_TOO_LARGE: 'The body holds more bytes than a request may have. HTTP status 413.',
  PERSISTED_QUERY_NOT_FOUND:
    'No document is known by this hash or `documentId`: send it in full. HTTP status 200 for a hash, as Apollo has it, otherwise 400.',
  PERSISTED_QUERY_NOT_SUPPORTED:
    'This server does not take documents by their hash: send them in full. HTTP status 200.',
  DOCUMENT_NOT_TRUSTED: 'This server answers only the documents in TRUSTED_DOCUMENTS. HTTP status 403.',
  OVERLOADED:
    'The server has more to do than it takes on at once: try again. HTTP status 503 if it has too much to read, write or receive.',
  UNAVAILABLE: 'The database cannot be reached: try again. HTTP status 503.',
  OUTCOME_UNKNOWN:
    'The connection broke while the change was being committed: read whether it was made before you repeat it.',
  NOT_CAUGHT_UP: 'This node could not reach the position in `Stet-As-Of` in time: try again. HTTP status 503.',
  NOT_CACHED:
    'The request says `only-if-cached`, and this node holds no answer to the same bytes that stands. HTTP status 504.',
  LOAD_TIMEOUT: 'Something that the query selects could not be loaded in time: try again.',
  WRITE_UNCONFIRMED: 'The change is committed, but could not be confirmed or read: read before you repeat it.',
} as const

export type ErrorCode = keyof typeof errorCodes
