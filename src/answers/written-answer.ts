import { hash } from 'node:crypto'
import type { EncodedBody } from './encoded-answers.ts'
import { bodyOf, type KeptAnswer } from './kept-answers.ts'
import type { MediaType } from './negotiate.ts'

/** What of an answer is the same each time that it is sent so: lines of its head, an empty line, its body. */
export interface Representation {
  readonly lines: string
  /** More lines, maybe; the empty one, and the body where one is sent. */
  readonly rest: Buffer
}

/** In which form an answer is sent. */
export interface Form {
  readonly mediaType: MediaType
  /** Undefined: as it is. */
  readonly encoded: EncodedBody | undefined
  /** Whether others may keep it. */
  readonly isPublic: boolean
}

/**
 * An answer in the form that is asked for most, all in one piece, in memory of its own: what small buffers are cut from would be kept
 * alive as a whole.
 * @param about.tags as `surrogateKey` has them. Undefined: it is for one viewer alone
 */
export function writeOnce(
  body: string,
  { tags, newest }: { readonly tags: string | undefined } & Pick<KeptAnswer, 'newest'>,
): KeptAnswer {
  const bodyBytes = Buffer.from(body)
  const etag = hash('sha256', bodyBytes, 'base64url').slice(0, 22)
  const before = `etag: ${entityTag({ etag }, PLAIN)}\r\n${tags === undefined ? '' : tagLines(tags)}`
  const head = `${before}${lengthLine(bodyBytes.length)}\r\n`
  const bytes = Buffer.allocUnsafeSlow(head.length + bodyBytes.length)
  bytes.latin1Write(head, 0)
  bodyBytes.copy(bytes, head.length)
  return { bytes, tagsEnd: before.length, bodyStart: head.length, etag, isPublic: tags !== undefined, newest }
}

/** An answer in any form. In the one that is asked for most nothing is put together, or copied. */
export function represent(value: KeptAnswer, form: Form, { withBody }: { readonly withBody: boolean }): Representation {
  const { bytes, bodyStart, isPublic } = value
  if (form.mediaType === PLAIN.mediaType && !form.encoded && form.isPublic === isPublic) {
    return { lines: PLAIN_LINES, rest: withBody ? bytes : bytes.subarray(0, bodyStart) }
  }
  const body = form.encoded?.bytes ?? bodyOf(value)
  const lines = `${linesOf(form)}etag: ${entityTag(value, form)}\r\n${tagsOf(value, form)}${lengthLine(body.length)}`
  return { lines, rest: withBody ? Buffer.concat([EMPTY_LINE, body]) : EMPTY_LINE }
}

/** What goes with a 304 (RFC 9110, section 15.4.5): what describes bytes that aren't sent is left out. */
export function representUnchanged(value: KeptAnswer, form: Form): Representation {
  const lines = `${linesOf(form)}etag: ${entityTag(value, form)}\r\n${tagsOf(value, form)}`
  return { lines: lines.replaceAll(OF_THE_BYTES, ''), rest: EMPTY_LINE }
}

/** Strong, and of these bytes alone: compressed or of another type it is another representation (RFC 9110, section 8.8.3). */
export const entityTag = (
  { etag }: Pick<KeptAnswer, 'etag'>,
  { mediaType, encoded }: Pick<Form, 'mediaType' | 'encoded'>,
): string => `"${etag}${mediaType === PLAIN.mediaType ? '' : '.graphql'}${encoded ? `.${encoded.encoding}` : ''}"`

const PLAIN = { mediaType: 'application/json; charset=utf-8', encoded: undefined } as const

function linesOf({ mediaType, encoded }: Pick<Form, 'mediaType' | 'encoded'>): string {
  const encoding = encoded ? `content-encoding: ${encoded.encoding}\r\n` : ''
  return `content-type: ${mediaType}\r\n${encoding}vary: ${VARY}\r\n`
}

/** What else decides which answer somebody is given. HAZARD: without these a shared cache would mix up viewers. */
const VARY = 'Accept, Accept-Encoding, Authorization, Stet-As-Of'

const PLAIN_LINES = linesOf(PLAIN)

/** Of the head, the lines that name cache tags: as some CDNs read them, and as others do. */
const tagLines = (words: string): string => `surrogate-key: ${words}\r\ncache-tag: ${words.replaceAll(' ', ',')}\r\n`

/** The same, of an answer that is written. */
function tagsOf({ bytes, tagsEnd, isPublic }: KeptAnswer, form: Form): string {
  return isPublic && form.isPublic ? bytes.toString('latin1', bytes.indexOf('surrogate-key: '), tagsEnd) : ''
}

const lengthLine = (bytes: number): string => `content-length: ${bytes}\r\n`

const OF_THE_BYTES = /^content-(type|encoding): .*\r\n/gm
const EMPTY_LINE = Buffer.from('\r\n')
