/**
 * About how many bytes `value` takes in V8's heap (64 bit, pointers not compressed). Its encoded size would not do: twenty
 * small rows of text take three times as much, and a single letter beyond Latin-1 doubles a whole string. Measured within
 * 20 %, `npm run bench -- memory`: articles, lists of ids, rows, answers and negative entries, as loaded and as decoded.
 */
export function heapBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return STRING_BYTES + (BEYOND_LATIN_1.test(value) ? 2 : 1) * value.length
    case 'number':
      // Small integers stand in their owner's slot.
      return (value | 0) === value ? 0 : NUMBER_BYTES
    case 'bigint':
      return NUMBER_BYTES
    case 'object':
      return value === null ? 0 : objectBytes(value)
    default:
      return 0
  }
}

function objectBytes(value: object): number {
  if (value instanceof Date) return DATE_BYTES
  if (ArrayBuffer.isView(value)) return BUFFER_BYTES + value.byteLength
  const members = Array.isArray(value) ? value : Object.values(value)
  let bytes = OBJECT_BYTES + SLOT_BYTES * members.length
  for (const member of members) bytes += heapBytes(member)
  return bytes
}

const BEYOND_LATIN_1 = /[\u0100-\uffff]/
const STRING_BYTES = 20
const NUMBER_BYTES = 16
const DATE_BYTES = 104
const BUFFER_BYTES = 200
const OBJECT_BYTES = 40
const SLOT_BYTES = 8
