import { hash } from 'node:crypto'
import type { CacheTag } from '../cache/index.ts'
import { surrogateKey } from './surrogate-key.ts'

/**
 * The finished bytes of an answer, and what must be known to send them. One buffer and few fields: a kept answer is rarely in the
 * processor's caches, and each place is waited for.
 */
export interface WrittenAnswer {
  /** In the form that most clients ask for: the lines of the head that never change, an empty line, the body. */
  readonly bytes: Buffer
  /** Where the lines end that name its cache tags. */
  readonly tagsEnd: number
  /** Where the body begins. */
  readonly bodyStart: number
  /** A hash of the body, without quotes. Empty: this answer is for one request, and nothing keeps it. */
  readonly etag: string
  /** Every visitor may be given it. */
  readonly isPublic: boolean
  /** The newest log position that anything in it was read as of. */
  readonly newest: number
}

/** Writes an answer that is kept. @param kept.tags undefined if it is for one viewer alone */
export function writeKept(
  body: string,
  { tags, newest }: { readonly tags: readonly CacheTag[] | undefined; readonly newest: number },
): WrittenAnswer {
  const etag = hash('sha256', body, 'base64url').slice(0, ETAG_LENGTH)
  const lines = `${ETAG}${etag}"\r\n${tags === undefined ? '' : tagLines(surrogateKey(tags))}`
  return write(body, { lines, hasEtag: true, isPublic: tags !== undefined, newest })
}

/** Writes an answer that nothing keeps: it has no entity tag, and names no cache tags. */
export const writeOnce = (body: string, newest: number): WrittenAnswer =>
  write(body, { lines: '', hasEtag: false, isPublic: false, newest })

/**
 * In memory of its own: a slice would keep the whole pool alive that small buffers are cut from. The entity tag is read from the
 * bytes for the same reason: a slice of a text keeps all of it.
 */
function write(
  body: string,
  {
    lines,
    hasEtag,
    isPublic,
    newest,
  }: Pick<WrittenAnswer, 'isPublic' | 'newest'> & {
    readonly lines: string
    readonly hasEtag: boolean
  },
): WrittenAnswer {
  const length = Buffer.byteLength(body)
  const head = `${lines}${lengthLine(length)}\r\n`
  const bytes = Buffer.allocUnsafeSlow(head.length + length)
  bytes.latin1Write(head, 0)
  bytes.utf8Write(body, head.length)
  const etag = hasEtag ? bytes.toString('latin1', ETAG.length, ETAG.length + ETAG_LENGTH) : ''
  return { bytes, tagsEnd: lines.length, bodyStart: head.length, etag, isPublic, newest }
}

const ETAG = 'etag: "'
/** Of 256 bits, 132 tell all bodies apart. */
const ETAG_LENGTH = 22

declare global {
  interface Buffer {
    /** `write` for one encoding, without looking up which. */
    latin1Write(text: string, offset: number): number
    utf8Write(text: string, offset: number): number
  }
}

export const bodyOf = ({ bytes, bodyStart }: WrittenAnswer): Buffer => bytes.subarray(bodyStart)

/** What an answer is sent as. With the charset, because `Accept` may name it. */
export const MEDIA_TYPES = [
  'application/json; charset=utf-8',
  'application/graphql-response+json; charset=utf-8',
] as const

export type MediaType = (typeof MEDIA_TYPES)[number]

/** How a body is compressed, as `Content-Encoding` has it. */
export type Encoding = 'br' | 'gzip' | 'identity'

export interface EncodedBody {
  readonly bytes: Buffer
  readonly encoding: Exclude<Encoding, 'identity'>
}

/** The form in which an answer is sent. */
export interface Form {
  readonly mediaType: MediaType
  /** Undefined: the body as it is. */
  readonly encoded: EncodedBody | undefined
  /** Whether shared caches may keep it. */
  readonly isPublic: boolean
}

/** The part of a message that follows from the answer and its form: lines of the head, the empty line, the body. */
export interface Representation {
  readonly lines: string
  /** More lines perhaps, the empty line, and the body if there is one. */
  readonly rest: Buffer
}

/** Puts an answer into a form. The form that most clients ask for is written already: nothing is copied. */
export function represent(
  answer: WrittenAnswer,
  form: Form,
  { withBody }: { readonly withBody: boolean },
): Representation {
  const { bytes, bodyStart, isPublic } = answer
  if (form.mediaType === PLAIN.mediaType && !form.encoded && form.isPublic === isPublic) {
    return { lines: PLAIN_LINES, rest: withBody ? bytes : bytes.subarray(0, bodyStart) }
  }
  const body = form.encoded?.bytes ?? bodyOf(answer)
  const lines = `${formLines(form)}${nameLines(answer, form)}${lengthLine(body.length)}`
  return { lines, rest: withBody ? Buffer.concat([EMPTY_LINE, body]) : EMPTY_LINE }
}

/** What goes with a 304 (RFC 9110, section 15.4.5): nothing that describes bytes, because none are sent. */
export function representUnchanged(answer: WrittenAnswer, form: Form): Representation {
  return { lines: `${VARY_LINE}${nameLines(answer, form)}`, rest: EMPTY_LINE }
}

/** Strong, and for these bytes alone: compressed or of another type it is another representation (RFC 9110, section 8.8.3). */
export const entityTag = (
  { etag }: Pick<WrittenAnswer, 'etag'>,
  { mediaType, encoded }: Pick<Form, 'mediaType' | 'encoded'>,
): string => `"${etag}${mediaType === PLAIN.mediaType ? '' : '.graphql'}${encoded ? `.${encoded.encoding}` : ''}"`

const PLAIN = { mediaType: MEDIA_TYPES[0], encoded: undefined } as const

/** HAZARD: what else decides which answer a client is given. Without these names a shared cache would mix up viewers. */
const VARY_LINE = 'vary: Accept, Accept-Encoding, Authorization, Stet-As-Of\r\n'

const formLines = ({ mediaType, encoded }: Pick<Form, 'mediaType' | 'encoded'>): string =>
  `content-type: ${mediaType}\r\n${encoded ? `content-encoding: ${encoded.encoding}\r\n` : ''}${VARY_LINE}`

const PLAIN_LINES = formLines(PLAIN)

/** The lines that name an answer, and its cache tags if shared caches may keep it. */
function nameLines(answer: WrittenAnswer, form: Form): string {
  const { bytes, tagsEnd, etag, isPublic } = answer
  if (etag === '') return ''
  const tags = isPublic && form.isPublic ? bytes.toString('latin1', bytes.indexOf('surrogate-key: '), tagsEnd) : ''
  return `etag: ${entityTag(answer, form)}\r\n${tags}`
}

/** Under the two names that CDNs know. */
const tagLines = (words: string): string => `surrogate-key: ${words}\r\ncache-tag: ${words.replaceAll(' ', ',')}\r\n`

const lengthLine = (bytes: number): string => `content-length: ${bytes}\r\n`

const EMPTY_LINE = Buffer.from('\r\n')
