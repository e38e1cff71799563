import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { RawReply } from '../harness/index.ts'

/** Statuses of 500 and more that are no fault, and the codes that may come with them. */
const EXCUSED: Readonly<Record<number, readonly unknown[]>> = {
  503: ['OVERLOADED', 'UNAVAILABLE', 'NOT_CAUGHT_UP', 'LOAD_TIMEOUT'],
  // To a request that says only-if-cached.
  504: ['NOT_CACHED'],
}

/** Says what is wrong with an answer, whatever it answers. Undefined if nothing is. */
export function whyWrong(reply: RawReply, isHead: boolean): string | undefined {
  const [, digits] = /^HTTP\/1\.[01] (\d{3}) [\x20-\x7e]*$/.exec(reply.start) ?? []
  if (digits === undefined) return `no status line: ${JSON.stringify(reply.start)}`
  const status = Number(digits)
  for (const [name, value] of reply.headers) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return `no header name: ${JSON.stringify(name)}`
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    if (/[\x00-\x08\x0b-\x1f\x7f]/.test(value)) return `a control character in ${name}: ${JSON.stringify(value)}`
  }
  const length = reply.headers.get('content-length')
  if (length !== undefined && !/^\d+$/.test(length)) return `no length: ${length}`
  if (length !== undefined && reply.headers.has('transfer-encoding')) return 'both a length and chunks'
  const type = reply.headers.get('content-type') ?? ''
  if (isHead || status === 204 || status === 304)
    return status >= 500 && !EXCUSED[status] ? `status ${status}` : undefined
  let body: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(decoded(reply))
    const leak = /\n +at .+:\d+:\d+|node_modules|Maximum call stack/.exec(text)
    if (leak) return `tells of the inside: ${leak[0]}`
    if (!/json/.test(type)) return status >= 500 ? `status ${status}: ${text}` : undefined
    body = JSON.parse(text)
  } catch (error) {
    return `not what its headers say: ${error}`
  }
  return whyWrongJson(body, status)
}

function whyWrongJson(body: unknown, status: number): string | undefined {
  if (typeof body !== 'object' || body === null) return 'no object'
  const { data, errors } = body as { readonly data?: unknown; readonly errors?: unknown }
  const told: readonly unknown[] = Array.isArray(errors) ? errors : []
  const codes = told.map((error) => (error as { readonly extensions?: { readonly code?: unknown } })?.extensions?.code)
  if (codes.includes('INTERNAL_SERVER_ERROR')) return `an unexpected error: ${JSON.stringify(told).slice(0, 500)}`
  if (errors !== undefined && told.length === 0) return 'errors that are none'
  if (told.some((error) => typeof (error as { readonly message?: unknown })?.message !== 'string')) return 'no message'
  if (data === undefined && errors === undefined && status === 200) {
    return 'status' in body ? undefined : 'neither data nor errors'
  }
  const isExcused = codes.some((code) => EXCUSED[status]?.includes(code))
  return status >= 500 && !isExcused ? `status ${status}: ${JSON.stringify(told).slice(0, 500)}` : undefined
}

function decoded({ headers, body }: RawReply): Buffer {
  const bytes = Buffer.from(body, 'latin1')
  switch (headers.get('content-encoding')) {
    case 'gzip':
      return gunzipSync(bytes)
    case 'br':
      return brotliDecompressSync(bytes)
    default:
      return bytes
  }
}
