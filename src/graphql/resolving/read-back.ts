import { ClientError } from '../../kernel/errors.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import { toClientError } from './mask-errors.ts'

/**
 * Reads what was just written, as every request does: another write may have followed. If the read fails, throws
 * WRITE_UNCONFIRMED instead of the read's own error: the change is made, and a caller who took it for failed would make it again.
 * @param what became of it, if it is no longer there
 */
export async function readWritten<T>(read: () => PromiseOrValue<T | undefined>, what: string): Promise<T> {
  const found = await tryToRead(read)
  if (found === undefined) throw new ClientError('NOT_FOUND', `The change is made, but ${what} meanwhile.`)
  return found
}

/** What `read` reads of a write that is made. Throws WRITE_UNCONFIRMED if that can't be read. */
export async function tryToRead<T>(read: () => PromiseOrValue<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!toClientError(cause)) throw cause
    const message = 'The change is made, but could not be read: read before you repeat it.'
    throw new ClientError('WRITE_UNCONFIRMED', message, { cause })
  }
}
