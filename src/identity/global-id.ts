import { AskerError } from '../kernel/errors.ts'
import { quote } from '../kernel/input.ts'

/** An opaque id, unique among all types: Relay's global object identification. */
export const toGlobalId = (type: string, id: number): string => Buffer.from(`${type}:${id}`).toString('base64url')

/** The type and row id that a global id stands for, undefined where it isn't one. */
export function parseGlobalId(globalId: string): { readonly type: string; readonly id: number } | undefined {
  const [, type, digits] =
    /^([A-Za-z]+):([1-9]\d{0,15})$/.exec(Buffer.from(globalId, 'base64url').toString('latin1')) ?? []
  const id = Number(digits)
  // Decoding is lenient: an object must not answer to several ids.
  return type && Number.isSafeInteger(id) && toGlobalId(type, id) === globalId ? { type, id } : undefined
}

/** The row id in a global id of `type`. Throws BAD_USER_INPUT, blaming `field`, where it isn't one. */
export function fromGlobalId(type: string, globalId: string, field = 'id'): number {
  const parsed = parseGlobalId(globalId)
  if (parsed?.type === type) return parsed.id
  const message = parsed
    ? `${field} must be the id of ${article(type)}; this is the id of ${article(parsed.type)}.`
    : `${field} must be the id of ${article(type)}, not ${quote(globalId)}.`
  throw new AskerError('BAD_USER_INPUT', message, { field })
}

const article = (type: string): string => `${/^[AEIO]/.test(type) ? 'an' : 'a'} ${type.slice(0, 40)}`
