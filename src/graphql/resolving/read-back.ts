import { AskerError } from '../../kernel/errors.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'

/** Reads what was just written. Whatever becomes of that, the change is made: told that it failed, somebody would make it again. */
export async function readBack<T>(read: () => PromiseOrValue<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!(cause instanceof AskerError)) throw cause
    const message = 'The change is made, but could not be read: read before you repeat it.'
    throw new AskerError('WRITE_UNCONFIRMED', message, { cause })
  }
}
