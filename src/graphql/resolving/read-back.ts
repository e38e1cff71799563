import { ClientError } from '../../kernel/errors.ts'
import type { PromiseOrValue } from '../../kernel/promise-or-value.ts'
import { toClientError } from './mask-errors.ts'

/**
 * Reads what was just written. If the read fails, throws WRITE_UNCONFIRMED instead of the read's own error: the change is
 * made, and a caller who took it for failed would make it again.
 */
export async function readBack<T>(read: () => PromiseOrValue<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!toClientError(cause)) throw cause
    const message = 'The change is made, but could not be read: read before you repeat it.'
    throw new ClientError('WRITE_UNCONFIRMED', message, { cause })
  }
}

/** Caches a row that this request has just written, then reads it as every request does: another write may have followed. */
export async function readWritten<Row extends { readonly id: number }>(
  row: Row,
  name: string,
  entries: {
    readonly keep: (id: number, row: Row) => void
    readonly byId: { load(id: number): PromiseOrValue<Row | undefined> }
  },
): Promise<Row> {
  entries.keep(row.id, row)
  const found = await readBack(() => entries.byId.load(row.id))
  if (!found) throw new ClientError('NOT_FOUND', `The change is made, but the ${name} was deleted meanwhile.`)
  return found
}
