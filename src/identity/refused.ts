import { ClientError } from '../kernel/errors.ts'

/** A request is refused because of its `Authorization` header. */
export const refused = (message: string, cause?: Error): ClientError =>
  new ClientError('UNAUTHENTICATED', message, { cause, status: 401 })
