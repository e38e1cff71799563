import { badInput, quote } from '../kernel/input.ts'

/** Makes an opaque id that is unique among all types, from a type and a row id: Relay's global object identification. */
export const toGlobalId = (type: string, id: number): string => Buffer.from(`${type}:${id}`).toString('base64url')

/** The type and the row id in a global id. Undefined if the text is not a global id. */
export function parseGlobalId(globalId: string): { readonly type: string; readonly id: number } | undefined {
  const bytes = Buffer.from(globalId, 'base64url')
  // Base64 decoding is lenient. Encoding again makes sure that an object has one id only.
  if (bytes.toString('base64url') !== globalId) return undefined
  const [, type, digits] = /^([A-Za-z]+):([1-9]\d{0,15})$/.exec(bytes.toString('latin1')) ?? []
  const id = Number(digits)
  return type && Number.isSafeInteger(id) ? { type, id } : undefined
}

/** The row id in a global id of `type`. Throws BAD_USER_INPUT with `field` if the text is not such an id. */
export function fromGlobalId(type: string, globalId: string, field = 'id'): number {
  const parsed = parseGlobalId(globalId)
  if (parsed?.type === type) return parsed.id
  const message = `${field} must be the id of ${article(type)}, not ${quote(globalId)}`
  throw badInput(field, parsed ? `${message}, which is the id of ${article(parsed.type)}.` : `${message}.`)
}

const article = (type: string): string => `${/^[AEIO]/.test(type) ? 'an' : 'a'} ${type.slice(0, 40)}`
