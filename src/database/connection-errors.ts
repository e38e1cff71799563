/** The database can't be reached, or does not answer. `cause` says why. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError'

  constructor(cause: unknown) {
    super("The database can't be reached just now: try again.", { cause })
  }
}

/**
 * True if not the statement failed but the connection: the server can't be reached, doesn't answer, is starting or stopping,
 * or takes no more connections. The codes are of Node and of PostgreSQL (its manual, appendix A).
 */
export function isConnectionError(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  if (typeof code === 'string') return CODES.test(code)
  return typeof message === 'string' && MESSAGES.test(message)
}

/** True if the connection was lost and the statement may have been run. False if the server says that it was not. */
export const isLostOnTheWay = (error: unknown): boolean =>
  isConnectionError(error) && !REFUSALS.test(String((error as { readonly code?: unknown }).code))

/** `DatabaseUnavailableError` if it was not the statement that failed. Any other error as it is. */
export function explainConnectionError(error: unknown): unknown {
  return isConnectionError(error) ? new DatabaseUnavailableError(error) : error
}

/** True if the transaction was rolled back because of another one, and may be tried again. */
export function isRetryable(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED
}

const CODES = /^(08...|57P0[1-5]|53300|25006|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/
/** The server says that it ran nothing: it is read-only, starting, or full. */
const REFUSALS = /^(25006|57P03|53300)$/
/** pg and pg-pool throw these without a code. */
const MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout)/
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
