import { hash } from 'node:crypto'
import type { CacheTag } from '../cache/index.ts'
import { surrogateKey } from './surrogate-key.ts'

/**
 * Bytes as a string: each character stands for one byte, and goes out as Latin-1. A buffer is two objects in the heap, 184 bytes
 * beside its content, and has records outside of it; a string takes 16.
 */
export type ByteString = string

/** The finished bytes of an answer, and what must be known to send them. Few fields, because memory holds many answers. */
export interface WrittenAnswer {
  /** In the form that most clients ask for: the lines of the head that never change, an empty line, the body. */
  readonly bytes: ByteString
  /** Where the body begins. */
  readonly bodyStart: number
  /** Every visitor may be given it. */
  readonly isPublic: boolean
}

/** Writes an answer that is kept. @param tags undefined if it is for one viewer alone. If a CDN can't be told of them all, no shared cache may keep the answer */
export function writeKept(body: string, tags: readonly CacheTag[] | undefined): WrittenAnswer {
  const words = tags && surrogateKey(tags)
  const etag = hash('sha256', body, 'base64url').slice(0, ETAG_LENGTH)
  const written = bytesOf(body)
  const head = `${ETAG}${etag}"\r\n${words === undefined ? '' : tagLines(words)}${lastLines(written)}`
  // In one piece: a string that was put together, or cut from another, may keep all of the others alive.
  const bytes = Buffer.from(head + written, 'latin1').toString('latin1')
  return { bytes, bodyStart: head.length, isPublic: words !== undefined }
}

/** Whether a value of Redis is an answer that was kept. HAZARD: `bytes` are sent as they are, and hold a part of the head. */
export function isKeptAnswer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { bytes, bodyStart, isPublic } = value as Partial<WrittenAnswer>
  if (typeof bytes !== 'string' || !Number.isSafeInteger(bodyStart)) return false
  const [, length] = KEPT_HEAD.exec(bytes.slice(0, bodyStart)) ?? []
  return typeof isPublic === 'boolean' && Number(length) === bytes.length - Number(bodyStart)
}

const KEPT_HEAD =
  /^etag: "[\w-]{22}"\r\n(?:surrogate-key: [^\r\n]*\r\ncache-tag: [^\r\n]*\r\n)?content-length: (\d{1,15})\r\n\r\n$/

/** Writes an answer that nothing keeps: it has no entity tag, and names no cache tags. */
export function writeOnce(body: string): WrittenAnswer {
  const written = bytesOf(body)
  const head = lastLines(written)
  return { bytes: head + written, bodyStart: head.length, isPublic: false }
}

/** The last line of a head, and the empty line after it. */
const lastLines = (body: ByteString): ByteString => `${lengthLine(body.length)}\r\n`

/** The text in UTF-8. As it is if it holds nothing but ASCII, which most texts do: then nothing is copied. */
const bytesOf = (text: string): ByteString =>
  Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1')

const ETAG = 'etag: "'
/** Of 256 bits, 132 tell all bodies apart. */
const ETAG_LENGTH = 22
const ETAG_END = ETAG.length + ETAG_LENGTH
const ETAG_LINE_END = ETAG_END + '"\r\n'.length

/**
 * A hash of the body, without quotes. Empty: the answer is for one request, and nothing keeps it. Then its head is shorter than
 * the line with the hash. HAZARD: to look at its first bytes would put all of them together, which may be megabytes.
 */
export const etagOf = ({ bytes, bodyStart }: WrittenAnswer): string =>
  bodyStart > ETAG_LINE_END ? bytes.slice(ETAG.length, ETAG_END) : ''

export const bodyOf = ({ bytes, bodyStart }: WrittenAnswer): ByteString => bytes.slice(bodyStart)

/** What an answer is sent as. With the charset, because `Accept` may name it. */
export const MEDIA_TYPES = [
  'application/json; charset=utf-8',
  'application/graphql-response+json; charset=utf-8',
] as const

export type MediaType = (typeof MEDIA_TYPES)[number]

/** How a body is compressed, as `Content-Encoding` has it. */
export type Encoding = 'br' | 'gzip' | 'identity'

export interface EncodedBody {
  readonly bytes: ByteString
  readonly encoding: Exclude<Encoding, 'identity'>
}

/** The form in which an answer is sent. */
export interface Form {
  readonly mediaType: MediaType
  /** Undefined: the body as it is. */
  readonly encoded: EncodedBody | undefined
  /** Whether shared caches may keep it. */
  readonly isPublic: boolean
  /** Pages of different origins are told different things. */
  readonly variesByOrigin: boolean
}

/** The part of a message that follows from the answer and its form: lines of the head, the empty line, the body. */
export interface Representation {
  readonly lines: string
  /** More lines perhaps, the empty line, and the body if there is one. */
  readonly rest: ByteString
}

/** Puts an answer into a form. The form that most clients ask for is written already: nothing is copied. */
export function represent(
  answer: WrittenAnswer,
  form: Form,
  { withBody }: { readonly withBody: boolean },
): Representation {
  const { bytes, bodyStart, isPublic } = answer
  if (form.mediaType === PLAIN.mediaType && !form.encoded && form.isPublic === isPublic) {
    return {
      lines: form.variesByOrigin ? PLAIN_LINES_BY_ORIGIN : PLAIN_LINES,
      rest: withBody ? bytes : bytes.slice(0, bodyStart),
    }
  }
  const body = form.encoded?.bytes ?? bodyOf(answer)
  const lines = `${formLines(form)}${nameLines(answer, form)}${lengthLine(body.length)}`
  return { lines, rest: withBody ? EMPTY_LINE + body : EMPTY_LINE }
}

/** What goes with a 304 (RFC 9110, section 15.4.5): nothing that describes bytes, because none are sent. */
export function representUnchanged(answer: WrittenAnswer, form: Form): Representation {
  return { lines: `${varyLine(form)}${nameLines(answer, form)}`, rest: EMPTY_LINE }
}

/** Strong, and for these bytes alone: compressed or of another type it is another representation (RFC 9110, section 8.8.3). */
export const entityTag = (answer: WrittenAnswer, { mediaType, encoded }: Pick<Form, 'mediaType' | 'encoded'>): string =>
  `"${etagOf(answer)}${mediaType === PLAIN.mediaType ? '' : '.graphql'}${encoded ? `.${encoded.encoding}` : ''}"`

const PLAIN = { mediaType: MEDIA_TYPES[0], encoded: undefined } as const

/**
 * HAZARD: what else decides which answer a client is given. Without these names a shared cache would mix up viewers. In one line: of
 * several, nginx before 1.23 takes the last alone.
 */
const varyLine = ({ variesByOrigin }: Pick<Form, 'variesByOrigin'>): string =>
  variesByOrigin ? `${VARY}, Origin\r\n` : `${VARY}\r\n`

const VARY = 'vary: Accept, Accept-Encoding, Authorization, Stet-As-Of, Stet-Explain'

const formLines = (form: Omit<Form, 'isPublic'>): string =>
  `content-type: ${form.mediaType}\r\n${form.encoded ? `content-encoding: ${form.encoded.encoding}\r\n` : ''}${varyLine(form)}`

const PLAIN_LINES = formLines({ ...PLAIN, variesByOrigin: false })
const PLAIN_LINES_BY_ORIGIN = formLines({ ...PLAIN, variesByOrigin: true })

/** The lines that name an answer, and its cache tags if shared caches may keep it. */
function nameLines(answer: WrittenAnswer, form: Form): string {
  const { bytes, bodyStart, isPublic } = answer
  if (etagOf(answer) === '') return ''
  const tags = isPublic && form.isPublic ? bytes.slice(ETAG_LINE_END, bytes.lastIndexOf(LENGTH, bodyStart)) : ''
  return `etag: ${entityTag(answer, form)}\r\n${tags}`
}

/** Under the two names that CDNs know. */
const tagLines = (words: string): string => `surrogate-key: ${words}\r\ncache-tag: ${words.replaceAll(' ', ',')}\r\n`

const LENGTH = 'content-length: '
const lengthLine = (bytes: number): string => `${LENGTH}${bytes}\r\n`

const EMPTY_LINE = '\r\n'
